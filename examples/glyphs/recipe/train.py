"""Trains the glyph network and writes it as ONNX, BatchNormalization kept as nodes.

Usage: python train.py FOLDER OUT.onnx
FOLDER holds what dump.mjs wrote: train.pixels, train.labels, evaluate.pixels, evaluate.labels. The evaluation pictures
are only counted at the end; nothing is chosen by them.
"""
import hashlib
import math
import sys
import time
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

SIZE, CLASSES = 28, 16
SEED, EPOCHS, BATCH, RATE, DECAY = 1, 6, 128, 4e-3, 1e-2


class Network(nn.Module):
    """Every layer that has weights is named as its node in the ONNX file."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict()
        self.add_convolution("stem", 1, 16)
        self.add_convolution("block1_first", 16, 16)
        self.add_convolution("block1_second", 16, 16)
        self.add_convolution("down_depthwise", 16, 16, stride=2, groups=16)
        self.add_convolution("down_pointwise", 16, 48, kernel=1)
        self.add_convolution("block2_depthwise", 48, 48, groups=48)
        self.add_convolution("block2_pointwise", 48, 48, kernel=1)
        self.add_convolution("head", 48, 48)
        self.layers["classifier"] = nn.Linear(48, CLASSES)

    def add_convolution(self, name, inputs, outputs, kernel=3, stride=1, groups=1):
        self.layers[name + "_conv"] = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.layers[name + "_norm"] = nn.BatchNorm2d(outputs)

    def convolution(self, name, value):
        return self.layers[name + "_norm"](self.layers[name + "_conv"](value))

    def forward(self, image):
        value = torch.relu(self.convolution("stem", image))
        value = nn.functional.max_pool2d(value, 2)
        branch = torch.relu(self.convolution("block1_first", value))
        value = torch.relu(self.convolution("block1_second", branch) + value)
        value = torch.relu(self.convolution("down_depthwise", value))
        value = torch.relu(self.convolution("down_pointwise", value))
        branch = torch.relu(self.convolution("block2_depthwise", value))
        value = self.convolution("block2_pointwise", branch) + value
        value = torch.relu(self.convolution("head", value))
        return self.layers["classifier"](value.mean((2, 3)))


def to_onnx(network):
    """The same network as ONNX nodes; input `image` [N,1,28,28], output `logits` [N,16]."""
    nodes, initializers = [], []

    def weight(name, tensor):
        initializers.append(numpy_helper.from_array(tensor.detach().numpy().astype(numpy.float32), name))
        return name

    def node(kind, name, inputs, output=None, **attributes):
        output = output or name + "_out"
        nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        return output

    def convolution(name, value):
        conv, norm = network.layers[name + "_conv"], network.layers[name + "_norm"]
        pad = conv.kernel_size[0] // 2
        value = node(
            "Conv",
            name + "_conv",
            [value, weight(name + "_weight", conv.weight)],
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=[pad] * 4,
            group=conv.groups,
        )
        parts = {"scale": norm.weight, "bias": norm.bias, "mean": norm.running_mean, "variance": norm.running_var}
        inputs = [weight(f"{name}_{part}", tensor) for part, tensor in parts.items()]
        return node("BatchNormalization", name + "_norm", [value, *inputs], epsilon=norm.eps)

    def relu(name, value):
        return node("Relu", name + "_relu", [value])

    value = relu("stem", convolution("stem", "image"))
    value = node("MaxPool", "pool", [value], kernel_shape=[2, 2], strides=[2, 2])
    branch = relu("block1_first", convolution("block1_first", value))
    value = relu("block1", node("Add", "block1_add", [convolution("block1_second", branch), value]))
    value = relu("down_depthwise", convolution("down_depthwise", value))
    value = relu("down_pointwise", convolution("down_pointwise", value))
    branch = relu("block2_depthwise", convolution("block2_depthwise", value))
    value = node("Add", "block2_add", [convolution("block2_pointwise", branch), value])
    value = relu("head", convolution("head", value))
    value = node("GlobalAveragePool", "average", [value])
    value = node("Flatten", "flatten", [value], axis=1)
    linear = network.layers["classifier"]
    inputs = [value, weight("classifier_weight", linear.weight), weight("classifier_bias", linear.bias)]
    node("Gemm", "classifier", inputs, "logits", transB=1)

    graph = helper.make_graph(
        nodes,
        "glyphs",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="glyphs-recipe")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def read_pictures(folder, name):
    pixels = numpy.fromfile(folder / f"{name}.pixels", numpy.uint8).reshape(-1, 1, SIZE, SIZE)
    labels = numpy.fromfile(folder / f"{name}.labels", numpy.uint8).astype(numpy.int64)
    return pixels, labels


def to_input(pixels):
    """The real input: pixel / 255 in float32."""
    return pixels.astype(numpy.float32) / numpy.float32(255)


def train(pixels, labels):
    network = Network()
    images, targets = torch.from_numpy(to_input(pixels)), torch.from_numpy(labels)
    steps = EPOCHS * (len(targets) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    warm_up = steps // 20
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm_up, 0.5 + 0.5 * math.cos(math.pi * step / steps)),
    )
    order = torch.Generator().manual_seed(SEED)
    start = time.time()
    for epoch in range(EPOCHS):
        total, correct = 0.0, 0
        batches = torch.randperm(len(targets), generator=order)[: len(targets) // BATCH * BATCH].split(BATCH)
        for batch in batches:
            logits = network(images[batch])
            loss = nn.functional.cross_entropy(logits, targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
            correct += (logits.argmax(1) == targets[batch]).sum().item()
        share = correct / (len(batches) * BATCH)
        print(f"epoch {epoch}: loss {total / len(batches):.4f}, train {share:.4f}, {time.time() - start:.0f} s", flush=True)
    return network.eval()


def main(folder, out):
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    network = train(*read_pictures(folder, "train"))
    model = to_onnx(network)
    out.write_bytes(model.SerializeToString())
    pixels, labels = read_pictures(folder, "evaluate")
    session = onnxruntime.InferenceSession(out.read_bytes(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": to_input(pixels)})
    with torch.no_grad():
        difference = numpy.abs(network(torch.from_numpy(to_input(pixels))).numpy() - logits).max()
    print(f"onnxruntime {onnxruntime.__version__}: {(logits.argmax(1) == labels).sum()} of {len(labels)} correct")
    print(f"largest difference to torch {torch.__version__}: {difference:.1e}")
    print(f"{out}: {out.stat().st_size} bytes, sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
