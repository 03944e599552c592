"""Which layers of a network have weights."""


def first_and_last(model):
    """The first and the last layer with weights of an ONNX model, which stay at 8 bits where the others get 4."""
    weighted = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    return [weighted[0], weighted[-1]]
