"""Trains a small pre-norm vision transformer on the glyphs and writes it as ONNX.

Usage: python train-transformer.py FOLDER OUT.onnx
FOLDER holds what dump.mjs wrote: train.pixels, train.labels, evaluate.pixels, evaluate.labels. The evaluation pictures
are only counted at the end; nothing is chosen by them. Runs on the first CUDA device, or else on the CPU.
"""
import hashlib
import math
import os
import sys
import time
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from train import CLASSES, SIZE, read_pictures, to_input

PATCH, DIM, DEPTH, HEADS, HIDDEN = 4, 48, 3, 3, 96
TOKENS, HEAD_DIM = (SIZE // PATCH) ** 2, DIM // HEADS
SEED, EPOCHS, BATCH, RATE, DECAY, LARGEST_GRADIENT = 1, 7, 512, 2e-3, 1e-2, 1.0


class Block(nn.Module):
    """Attention and a perceptron, each on the normalised stream and added to it."""

    def __init__(self):
        super().__init__()
        self.attention_norm = nn.LayerNorm(DIM)
        self.query, self.key, self.value, self.output = (nn.Linear(DIM, DIM) for _ in range(4))
        self.perceptron_norm = nn.LayerNorm(DIM)
        self.expand, self.contract = nn.Linear(DIM, HIDDEN), nn.Linear(HIDDEN, DIM)

    def forward(self, stream):
        normal = self.attention_norm(stream)
        query, key, value = (
            layer(normal).unflatten(2, (HEADS, HEAD_DIM)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        weights = torch.softmax(query @ key.transpose(2, 3) * HEAD_DIM**-0.5, 3)
        stream = stream + self.output((weights @ value).transpose(1, 2).flatten(2))
        return stream + self.contract(nn.functional.gelu(self.expand(self.perceptron_norm(stream))))


class Network(nn.Module):
    """Patches, learned positions, blocks, the mean of the normalised tokens, a linear classifier."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, DIM, PATCH, PATCH)
        self.positions = nn.Parameter(0.02 * torch.randn(TOKENS, DIM))
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(DIM)
        self.classifier = nn.Linear(DIM, CLASSES)

    def forward(self, image):
        stream = self.patches(image).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            stream = block(stream)
        return self.classifier(self.norm(stream).mean(1))


class Writer:
    """Collects nodes and their constants; every method that adds a node returns the name of its result."""

    def __init__(self):
        self.nodes, self.initializers = [], []

    def constant(self, name, values, kind=numpy.float32):
        values = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
        self.initializers.append(numpy_helper.from_array(numpy.array(values, kind), name))
        return name

    def node(self, kind, name, inputs, output=None, **attributes):
        output = output or name + "_out"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        return output

    def reshape(self, name, value, shape):
        return self.node("Reshape", name, [value, self.constant(name + "_shape", shape, numpy.int64)])

    def norm(self, name, value, layer):
        inputs = [value, self.constant(name + "_scale", layer.weight), self.constant(name + "_bias", layer.bias)]
        return self.node("LayerNormalization", name, inputs, axis=-1, epsilon=layer.eps)

    def linear(self, name, value, layer):
        product = self.node("MatMul", name, [value, self.constant(name + "_weight", layer.weight.T)])
        return self.node("Add", name + "_add", [product, self.constant(name + "_bias", layer.bias)])

    def block(self, name, stream, block):
        normal = self.norm(name + "_attention_norm", stream, block.attention_norm)

        def heads(part, order):
            value = self.linear(f"{name}_{part}", normal, getattr(block, part))
            value = self.reshape(f"{name}_{part}_heads", value, [0, TOKENS, HEADS, HEAD_DIM])
            return self.node("Transpose", f"{name}_{part}_transpose", [value], perm=order)

        query, key = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1])
        scores = self.node("MatMul", name + "_scores", [query, key])
        scores = self.node("Mul", name + "_scale", [scores, self.constant(name + "_scale_factor", HEAD_DIM**-0.5)])
        weights = self.node("Softmax", name + "_softmax", [scores], axis=-1)
        value = self.node("MatMul", name + "_attention", [weights, heads("value", [0, 2, 1, 3])])
        value = self.node("Transpose", name + "_attention_transpose", [value], perm=[0, 2, 1, 3])
        value = self.reshape(name + "_attention_join", value, [0, TOKENS, DIM])
        stream = self.node("Add", name + "_attention_add", [stream, self.linear(name + "_output", value, block.output)])
        value = self.norm(name + "_perceptron_norm", stream, block.perceptron_norm)
        value = self.node("Gelu", name + "_gelu", [self.linear(name + "_expand", value, block.expand)])
        value = self.linear(name + "_contract", value, block.contract)
        return self.node("Add", name + "_perceptron_add", [stream, value])


def to_onnx(network):
    """The same network as ONNX nodes; input `image` [N,1,28,28], output `logits` [N,16]."""
    writer = Writer()
    weight = writer.constant("patches_weight", network.patches.weight)
    bias = writer.constant("patches_bias", network.patches.bias)
    stream = writer.node(
        "Conv", "patches", ["image", weight, bias], kernel_shape=[PATCH, PATCH], strides=[PATCH, PATCH]
    )
    stream = writer.reshape("tokens", stream, [0, DIM, TOKENS])
    stream = writer.node("Transpose", "tokens_transpose", [stream], perm=[0, 2, 1])
    stream = writer.node("Add", "positions_add", [stream, writer.constant("positions", network.positions)])
    for index, block in enumerate(network.blocks):
        stream = writer.block(f"block{index + 1}", stream, block)
    value = writer.norm("norm", stream, network.norm)
    value = writer.node("ReduceMean", "mean", [value, writer.constant("mean_axes", [1], numpy.int64)], keepdims=0)
    weight = writer.constant("classifier_weight", network.classifier.weight)
    bias = writer.constant("classifier_bias", network.classifier.bias)
    writer.node("Gemm", "classifier", [value, weight, bias], "logits", transB=1)
    graph = helper.make_graph(
        writer.nodes,
        "glyphs-transformer",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        writer.initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], producer_name="glyphs-recipe")
    model.ir_version = 9
    onnx.checker.check_model(model, full_check=True)
    return model


def train(network, pixels, labels, device):
    network.to(device)
    images, targets = torch.from_numpy(pixels).to(device), torch.from_numpy(labels).to(device)
    epoch_steps = len(targets) // BATCH
    steps = EPOCHS * epoch_steps
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY, fused=True)
    warm_up = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm_up, 0.5 + 0.5 * math.cos(math.pi * step / steps)),
    )
    order = torch.Generator().manual_seed(SEED)
    start = time.time()
    for epoch in range(EPOCHS):
        total, correct = torch.zeros(2, device=device)
        for batch in torch.randperm(len(targets), generator=order)[: epoch_steps * BATCH].to(device).split(BATCH):
            logits = network(images[batch].float() / 255)
            loss = nn.functional.cross_entropy(logits, targets[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
            total += loss.detach()
            correct += (logits.argmax(1) == targets[batch]).sum()
        share = correct.item() / (epoch_steps * BATCH)
        mean = total.item() / epoch_steps
        print(f"epoch {epoch}: loss {mean:.4f}, train {share:.4f}, {time.time() - start:.0f} s", flush=True)
    return network.cpu().eval()


def main(folder, out):
    # cuBLAS gives the same sums again only with a workspace of this kind.
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.set_float32_matmul_precision("high")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = train(Network(), *read_pictures(folder, "train"), device)
    out.write_bytes(to_onnx(network).SerializeToString())
    torch.set_float32_matmul_precision("highest")
    pixels, labels = read_pictures(folder, "evaluate")
    session = onnxruntime.InferenceSession(out.read_bytes(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": to_input(pixels)})
    with torch.no_grad():
        difference = numpy.abs(network(torch.from_numpy(to_input(pixels))).numpy() - logits).max()
    print(f"parameters: {sum(parameter.numel() for parameter in network.parameters())}")
    print(f"onnxruntime {onnxruntime.__version__}: {(logits.argmax(1) == labels).sum()} of {len(labels)} correct")
    print(f"largest difference to torch {torch.__version__}: {difference:.1e}")
    print(f"{out}: {out.stat().st_size} bytes, sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
