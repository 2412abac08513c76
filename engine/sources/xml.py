"""XML from outside -> a tree of plain elements, by the standard library's parser under limits.

A document type, and with it every entity of its own, is refused: entities that multiply themselves and files
that are read from disk both need one. Size, depth and count of elements are bounded.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from engine.errors import BadPayload
from engine.model.text import clean

MAX_DEPTH = 32
MAX_ELEMENTS = 50_000
MAX_TEXT = 20_000
"""Characters of one element; the rest is dropped."""


@dataclass(slots=True)
class Element:
    """`name` with its namespace before a space, as in `http://www.w3.org/2005/Atom entry`."""

    name: str
    attributes: dict[str, str]
    children: "list[Element]" = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> "list[Element]":
        """Direct children of a local name, whatever their namespace."""
        return [child for child in self.children if child.name.rpartition(" ")[2] == name]

    def first(self, name: str) -> "Element | None":
        """The first direct child of a local name."""
        return next(iter(self.all(name)), None)


def read_xml(data: bytes, source: str) -> Element:
    """The root of a document. Raises BadPayload."""
    tree = _Tree(source)
    try:
        tree.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadPayload(f"{source}: the answer is not XML ({clean(str(error), 80)})") from error
    except (ValueError, LookupError) as error:
        raise BadPayload(f"{source}: the answer has an encoding that is not known") from error
    return tree.root.children[0]


class _Tree:
    def __init__(self, source: str) -> None:
        self.root = Element("", {})
        self._source = source
        self._open = [self.root]
        self._count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_type
        self.parser.EntityDeclHandler = self._refuse_type
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _refuse_type(self, *_: object) -> None:
        raise BadPayload(f"{self._source}: the answer declares a document type, which is never read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) > MAX_DEPTH:
            raise BadPayload(
                f"{self._source}: more than {MAX_ELEMENTS:,} elements, or more than {MAX_DEPTH} levels"
            )
        element = Element(name, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        element = self._open[-1]
        if len(element.text) < MAX_TEXT:
            element.text += text[: MAX_TEXT - len(element.text)]
