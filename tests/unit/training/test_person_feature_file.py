"""The published file of features: read as it is, and refused where it is another, damaged or not finite."""

from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import tflite
import torch

from limbstudio.ajahr.build import PersonFeatureNumbers
from limbstudio.ajahr.person_features import PersonFeatures
from limbstudio.domain.errors import KnownError
from limbstudio.training.person_feature_file import begin_with_published

from ..ajahr.tiny import TINY_FEATURES


def _vector(builder: flatbuffers.Builder, start, items: list[int], *, offsets: bool) -> int:
    start(builder, len(items))
    for item in reversed(items):
        (builder.PrependUOffsetTRelative if offsets else builder.PrependInt32)(item)
    return builder.EndVector()


def write_tflite(network: PersonFeatures, path: Path) -> None:
    """Write a network's convolutions as TensorFlow Lite does: weights in half precision, made wider before use."""
    builder = flatbuffers.Builder(0)
    layers = list(network.convolutions())
    arrays = []
    for layer in layers:
        weight = layer.weight.detach().numpy()
        weight = weight.transpose(1, 2, 3, 0) if layer.groups > 1 else weight.transpose(0, 2, 3, 1)
        arrays += [weight.astype(np.float16), layer.state_dict()["bias"].numpy().astype(np.float16)]
    buffers, tensors, operators = [], [], []
    for number, array in enumerate(arrays):
        data = builder.CreateByteVector(np.ascontiguousarray(array).tobytes())
        tflite.BufferStart(builder)
        tflite.BufferAddData(builder, data)
        buffers.append(tflite.BufferEnd(builder))
        shape = _vector(builder, tflite.TensorStartShapeVector, list(array.shape), offsets=False)
        for kind in (tflite.TensorType.FLOAT16, tflite.TensorType.FLOAT32):
            tflite.TensorStart(builder)
            tflite.TensorAddShape(builder, shape)
            tflite.TensorAddType(builder, kind)
            tflite.TensorAddBuffer(builder, number)
            tensors.append(tflite.TensorEnd(builder))
    for number, layer in enumerate(layers):
        first = 4 * number
        for code, inputs, output in (
            (0, [first], first + 1),
            (0, [first + 2], first + 3),
            (2 if layer.groups > 1 else 1, [0, first + 1, first + 3], 0),
        ):
            told = _vector(builder, tflite.OperatorStartInputsVector, inputs, offsets=False)
            made = _vector(builder, tflite.OperatorStartOutputsVector, [output], offsets=False)
            tflite.OperatorStart(builder)
            tflite.OperatorAddOpcodeIndex(builder, code)
            tflite.OperatorAddInputs(builder, told)
            tflite.OperatorAddOutputs(builder, made)
            operators.append(tflite.OperatorEnd(builder))
    codes = []
    for code in ("DEQUANTIZE", "CONV_2D", "DEPTHWISE_CONV_2D"):
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, getattr(tflite.BuiltinOperator, code))
        codes.append(tflite.OperatorCodeEnd(builder))
    tensors = _vector(builder, tflite.SubGraphStartTensorsVector, tensors, offsets=True)
    operators = _vector(builder, tflite.SubGraphStartOperatorsVector, operators, offsets=True)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensors)
    tflite.SubGraphAddOperators(builder, operators)
    graph = _vector(builder, tflite.ModelStartSubgraphsVector, [tflite.SubGraphEnd(builder)], offsets=True)
    codes = _vector(builder, tflite.ModelStartOperatorCodesVector, codes, offsets=True)
    buffers = _vector(builder, tflite.ModelStartBuffersVector, buffers, offsets=True)
    tflite.ModelStart(builder)
    tflite.ModelAddSubgraphs(builder, graph)
    tflite.ModelAddOperatorCodes(builder, codes)
    tflite.ModelAddBuffers(builder, buffers)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


@pytest.fixture
def published(tmp_path: Path) -> tuple[PersonFeatures, Path]:
    torch.manual_seed(1)
    network = PersonFeatures(TINY_FEATURES).half().float()
    write_tflite(network, tmp_path / "published.tflite")
    return network, tmp_path / "published.tflite"


def test_the_files_numbers_become_the_networks(published: tuple[PersonFeatures, Path]):
    theirs, file = published
    torch.manual_seed(2)
    ours = PersonFeatures(TINY_FEATURES)

    begin_with_published(ours, file)

    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


@pytest.mark.parametrize("how", ["missing", "cut", "other", "scrambled"])
def test_what_is_not_the_file_is_refused_and_changes_nothing(
    how: str, published: tuple[PersonFeatures, Path]
):
    _, file = published
    data = file.read_bytes()
    if how == "missing":
        file.unlink()
    elif how == "cut":
        file.write_bytes(data[:200])
    elif how == "other":
        file.write_bytes(b"PK\x03\x04" + data)
    else:
        rng = np.random.default_rng(3)
        file.write_bytes(data[:8] + rng.permutation(np.frombuffer(data[8:], np.uint8)).tobytes())
    network = PersonFeatures(TINY_FEATURES)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    with pytest.raises(KnownError, match=r"could not be read|another network") as error:
        begin_with_published(network, file)

    assert "mediapipe" in error.value.hint
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_numbers_that_are_not_finite_are_refused(published: tuple[PersonFeatures, Path]):
    theirs, file = published
    with torch.no_grad():
        theirs.summary.state_dict()["bias"][0] = torch.nan
    write_tflite(theirs, file)

    with pytest.raises(KnownError, match="not finite"):
        begin_with_published(PersonFeatures(TINY_FEATURES), file)


def test_a_network_of_another_size_is_refused(published: tuple[PersonFeatures, Path]):
    with pytest.raises(KnownError, match="another network"):
        begin_with_published(PersonFeatures(PersonFeatureNumbers()), published[1])
