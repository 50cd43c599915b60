"""Read the header of a TFLite file: the inputs and what its metadata say of the licence.

A TFLite file is a FlatBuffer. Only the tables on the way to the inputs are read. See
tensorflow/lite/schema/schema.fbs for the numbers of the fields, and metadata_schema.fbs of TFLite
Support for those of the metadata.
"""

import struct
from typing import Any

from sceneset.models.tensor import BrokenHeaderError, Header, Tensor

_SUBGRAPHS, _BUFFERS, _METADATA = 2, 4, 6  # fields of Model
_TENSORS, _INPUTS = 0, 1  # fields of SubGraph
_SHAPE, _TYPE, _NAME, _SHAPE_SIGNATURE = 0, 1, 3, 7  # fields of Tensor
_FLOATS = {0, 1}  # TensorType: FLOAT32, FLOAT16
_LICENCE = 5  # field of ModelMetadata
_MOST = 1 << 16  # entries of a vector that are read


def is_tflite(data: bytes) -> bool:
    """Return whether the first bytes are those of a TFLite file."""
    return data[4:8] == b"TFL3"


def read_tflite_header(data: bytes) -> Header:
    """Return the header of a TFLite file.

    Raises:
        BrokenHeaderError: The bytes are no TFLite model.
    """
    if not is_tflite(data):
        raise BrokenHeaderError("is not a TFLite model")
    try:
        return _read(data)
    except (struct.error, UnicodeDecodeError):
        raise BrokenHeaderError("is not a TFLite model, or is truncated") from None


def _read(data: bytes) -> Header:
    model = _Table.root(data)
    graphs = model.tables(_SUBGRAPHS)
    if not graphs:
        raise BrokenHeaderError("is not a TFLite model: it has no graph")
    tensors = graphs[0].tables(_TENSORS)
    inputs = []
    for number in graphs[0].numbers(_INPUTS):
        if not 0 <= number < len(tensors):
            raise BrokenHeaderError(f"is not a TFLite model: it has no tensor {number}")
        tensor = tensors[number]
        shape = tensor.numbers(_SHAPE_SIGNATURE) or tensor.numbers(_SHAPE)
        inputs.append(
            Tensor(
                tensor.text(_NAME),
                tuple(side if side > 0 else None for side in shape),
                tensor.number(_TYPE, "b") in _FLOATS,
            )
        )
    return Header(tuple(inputs), _licence(model))


def _licence(model: "_Table") -> str:
    """Return the licence that the metadata name; "" without."""
    for entry in model.tables(_METADATA):
        if entry.text(0) == "TFLITE_METADATA":
            buffers = model.tables(_BUFFERS)
            place = entry.number(1, "I")
            if place < len(buffers):
                content = buffers[place].bytes(0)
                if content[4:8] == b"M001":
                    return _Table.root(content).text(_LICENCE).strip()
    return ""


class _Table:
    """A table of a FlatBuffer; a place outside the file raises struct.error."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._vtable = place - self._at("i", place)
        if self._vtable < 0:
            raise struct.error
        self._size = self._at("H", self._vtable)

    @classmethod
    def root(cls, data: bytes) -> "_Table":
        """Return the table that a file begins with."""
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    def _at(self, kind: str, place: int) -> Any:
        if place < 0:
            raise struct.error
        return struct.unpack_from(f"<{kind}", self._data, place)[0]

    def _field(self, number: int) -> int:
        """Return the place of a field; 0 if it has its default value."""
        entry = 4 + 2 * number
        if entry + 2 > self._size:
            return 0
        offset: int = self._at("H", self._vtable + entry)
        return self._place + offset if offset else 0

    def number(self, number: int, kind: str) -> int:
        """Return a number, given its kind as ``struct`` names it."""
        place = self._field(number)
        return int(self._at(kind, place)) if place else 0

    def _vector(self, number: int) -> tuple[int, int]:
        """Return the place of the first entry of a vector, and the number of entries."""
        place = self._field(number)
        if not place:
            return 0, 0
        start = place + self._at("I", place)
        return start + 4, self._at("I", start)

    def numbers(self, number: int) -> list[int]:
        """Return a vector of 32-bit numbers."""
        start, count = self._vector(number)
        return list(struct.unpack_from(f"<{self._bounded(count)}i", self._data, start))

    def tables(self, number: int) -> "list[_Table]":
        """Return a vector of tables."""
        start, count = self._vector(number)
        places = (start + 4 * entry for entry in range(self._bounded(count)))
        return [_Table(self._data, place + self._at("I", place)) for place in places]

    def bytes(self, number: int) -> bytes:
        """Return a vector of bytes."""
        start, count = self._vector(number)
        if start + count > len(self._data):
            raise struct.error
        return self._data[start : start + count]

    def text(self, number: int) -> str:
        """Return a text; "" without."""
        return self.bytes(number).decode()

    @staticmethod
    def _bounded(count: int) -> int:
        if count > _MOST:
            raise struct.error
        return count
