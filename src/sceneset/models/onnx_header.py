"""Read the header of an ONNX file: inputs, metadata, and whether weights are in other files.

An ONNX file is a protobuf message. Only the wire format is read here, without copying a weight, so
that the size of the input is known before a library in C++ reads the file. See onnx.proto of
https://github.com/onnx/onnx for the numbers of the fields.
"""

from collections.abc import Iterator

from sceneset.models.tensor import BrokenHeaderError, Header, Tensor

_GRAPH, _FUNCTION, _METADATA = 7, 25, 14  # fields of ModelProto
_INITIALIZER, _INPUT = 5, 11  # fields of GraphProto
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # fields of TensorProto
_PARTS = {  # the fields of a message that lead to tensors, and what they hold
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
}
_FLOATS = {1, 10}  # TensorProto.DataType: FLOAT, FLOAT16
_DEPTH = 64  # a graph in an attribute of a node of a graph is three messages deeper
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5

Field = tuple[int, "int | memoryview"]
"""Number and value of a field; values of fixed length are left out."""


def read_onnx_header(data: bytes) -> Header:
    """Return the header of an ONNX file.

    Raises:
        BrokenHeaderError: The bytes are no ONNX model, or its weights are in other files, which
            could be any files of this machine.
    """
    graph: memoryview | None = None
    licence = ""
    for number, value in _fields(memoryview(data)):
        if number == _GRAPH and isinstance(value, memoryview):
            graph = value
        elif number == _METADATA and isinstance(value, memoryview):
            entry = dict(_fields(value))
            if _text(entry.get(1)).lower() in {"license", "licence"}:
                licence = _text(entry.get(2))
        elif number == _FUNCTION and isinstance(value, memoryview):
            _refuse_other_files(value, "function")
    if graph is None:
        raise BrokenHeaderError("is not an ONNX model: it has no graph")
    _refuse_other_files(graph, "graph")
    weights = {
        _text(dict(_fields(value)).get(8))
        for number, value in _fields(graph)
        if number == _INITIALIZER and isinstance(value, memoryview)
    }
    inputs = [
        _tensor(value)
        for number, value in _fields(graph)
        if number == _INPUT and isinstance(value, memoryview)
    ]
    return Header(tuple(one for one in inputs if one.name not in weights), licence)


def _refuse_other_files(message: memoryview, kind: str, depth: int = 0) -> None:
    """Refuse a message if a tensor in it is in another file.

    Args:
        message: The message.
        kind: A key of _PARTS, or "tensor".
        depth: Number of messages around it.
    """
    if depth > _DEPTH:
        raise BrokenHeaderError("is not read: its graphs are nested too deeply")
    for number, value in _fields(message):
        if kind == "tensor":
            if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value):
                raise BrokenHeaderError(
                    "keeps its weights in other files; save the model as one file"
                )
        elif (part := _PARTS[kind].get(number)) and isinstance(value, memoryview):
            _refuse_other_files(value, part, depth + 1)


def _tensor(value: memoryview) -> Tensor:
    """Return an input: ValueInfoProto, with TypeProto, its tensor type, shape and dimensions."""
    info = dict(_fields(value))
    kind = dict(_fields(_message(dict(_fields(_message(info.get(2)))).get(1))))
    shape: list[int | None] = []
    for number, dimension in _fields(_message(kind.get(2))):
        if number == 1 and isinstance(dimension, memoryview):
            length = dict(_fields(dimension)).get(1)
            is_known = isinstance(length, int) and 0 < length < 1 << 31
            shape.append(length if is_known and isinstance(length, int) else None)
    return Tensor(_text(info.get(1)), tuple(shape), kind.get(1) in _FLOATS)


def _message(value: "int | memoryview | None") -> memoryview:
    return value if isinstance(value, memoryview) else memoryview(b"")


def _text(value: "int | memoryview | None") -> str:
    return bytes(_message(value)).decode("utf-8", "replace")


def _fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message.

    Raises:
        BrokenHeaderError: It ends early, or has a kind of field that protobuf no longer uses.
    """
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if wire == _BYTES:
            length, place = _varint(message, place)
        elif wire in {_FIXED_32, _FIXED_64}:
            length = 4 if wire == _FIXED_32 else 8
        else:
            raise BrokenHeaderError(f"is not an ONNX model: byte {place} begins no field")
        if place + length > end or not number:
            raise BrokenHeaderError("is not an ONNX model, or is truncated")
        if wire == _BYTES:
            yield number, message[place : place + length]
        place += length


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return a number and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise BrokenHeaderError("is not an ONNX model, or is truncated")
