"""Numbers for the features of people from BlazePose's published landmark network, a TensorFlow Lite file.

It is `mediapipe/modules/pose_landmark/pose_landmark_full.tflite` in the wheels of MediaPipe 0.10 (Apache-2.0; any
archiver opens a wheel). A flatbuffer is only numbers and a plan: nothing in it is run.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbstudio.ajahr.person_features import PersonFeatures
from limbstudio.domain.errors import KnownError

_WHAT_TO_DO = (
    "Name mediapipe/modules/pose_landmark/pose_landmark_full.tflite of a wheel of MediaPipe 0.10 "
    "(`pip download --no-deps mediapipe==0.10.14`)."
)
_MARK, _MARK_AT = b"TFL3", 4


def begin_with_published(features: PersonFeatures, path: Path) -> None:
    """Give a network the numbers of the published file; raise KnownError where it is another, changing nothing."""
    found = iter(_convolutions(path))
    told = []
    for layer in features.convolutions():
        part = next((pair for pair in (_fitting(layer, *pair) for pair in found) if pair), None)
        if part is None:  # what does not fit is of the file's other outputs, but all of ours must be there
            raise KnownError(
                f"{path.name} is another network than BlazePose's, or of another size.", _WHAT_TO_DO
            )
        if not all(np.isfinite(values).all() for values in part):
            raise KnownError(f"{path.name} holds numbers that are not finite.", _WHAT_TO_DO)
        told.append((layer, *part))
    with torch.no_grad():
        for layer, weight, bias in told:
            layer.weight.copy_(torch.as_tensor(weight))
            layer.bias.copy_(torch.as_tensor(bias))  # type: ignore[union-attr]


def _fitting(
    layer: torch.nn.Conv2d, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return a file's weight and bias as a layer has them, None where they are not of its shape.

    A file's weight is (out, h, w, in), or (1, h, w, channels) of a layer in which each channel is for itself.
    """
    if weight.ndim != 4:
        return None
    weight = np.ascontiguousarray(weight.transpose((3, 0, 1, 2) if layer.groups > 1 else (0, 3, 1, 2)))
    fits = weight.shape == layer.weight.shape and bias.shape == (layer.out_channels,)
    return (weight, bias) if fits else None


def _convolutions(path: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return weights and biases of all convolutions, in the file's order."""
    try:
        import tflite
    except ModuleNotFoundError as error:
        raise KnownError(
            "Reading TensorFlow Lite files needs what trains networks.", "Install limbstudio[train]."
        ) from error
    try:
        data = path.read_bytes()
        if data[_MARK_AT : _MARK_AT + len(_MARK)] != _MARK:
            raise ValueError("it is no TensorFlow Lite file")
        model: Any = tflite.Model.GetRootAsModel(data, 0)
        graph: Any = model.Subgraphs(0)
        held: dict[int, Any] = {}  # what a half-precision tensor is made wider from
        found = []
        for number in range(graph.OperatorsLength()):
            operator: Any = graph.Operators(number)
            codes: Any = model.OperatorCodes(operator.OpcodeIndex())
            code = max(codes.BuiltinCode(), codes.DeprecatedBuiltinCode())
            inputs = operator.InputsAsNumpy().tolist()
            if code == tflite.BuiltinOperator.DEQUANTIZE:
                held[operator.Outputs(0)] = inputs[0]
            elif code in (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D):
                weight, bias = (_numbers(model, graph, held.get(int(i), int(i))) for i in inputs[1:3])
                found.append((weight, bias))
        return found
    except Exception as error:  # noqa: BLE001  # a damaged flatbuffer raises whatever its offsets lead to
        raise KnownError(f"{path} could not be read ({error}).", _WHAT_TO_DO) from error


def _numbers(model: Any, graph: Any, index: int) -> NDArray[np.float32]:
    import tflite

    kinds = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.FLOAT16: np.float16}
    tensor = graph.Tensors(index)
    raw = model.Buffers(tensor.Buffer()).DataAsNumpy()
    return (
        np.frombuffer(raw.tobytes(), kinds[tensor.Type()]).reshape(tensor.ShapeAsNumpy()).astype(np.float32)
    )
