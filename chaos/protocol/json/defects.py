"""Collect what a strict reader finds wrong: each defect once, and never without bound."""

from chaos.protocol.conversation import Json
from chaos.protocol.json.text import excerpt
from chaos.protocol.reading import Defect, DefectFound

_MOST_DEFECTS = 50


class Defects:
    """Defects in order of discovery."""

    def __init__(self) -> None:
        self._found: dict[DefectFound, None] = {}

    @property
    def found(self) -> tuple[DefectFound, ...]:
        """What was found so far."""
        return tuple(self._found)

    def add(self, defect: Defect, detail: str) -> None:
        """Note *defect*; past the bound it is dropped, because the first ones tell the tale."""
        if len(self._found) < _MOST_DEFECTS:
            self._found[DefectFound(defect, excerpt(detail))] = None

    def wrong(self, detail: str) -> None:
        """Note that something is not of the shape that the format prescribes."""
        self.add(Defect.WRONG_SHAPE, detail)

    def optional_text(self, parent: Json, key: str, where: str) -> str | None:
        """Take a string that may be absent or null."""
        return None if parent.get(key) is None else self.need_text(parent, key, where)

    def optional_count(self, parent: Json, key: str, where: str) -> int | None:
        """Take a whole number that may be absent or null."""
        return None if parent.get(key) is None else self.need_count(parent, key, where)

    def need_text(self, parent: Json, key: str, where: str) -> str:
        """Take a required string; empty, and noted, if it is none."""
        value = parent.get(key)
        if isinstance(value, str):
            return value
        self._unlike(value, "a string", f"{where}.{key}")
        return ""

    def identity(self, parent: Json, key: str, where: str) -> str:
        """Take the id or the model of a reply; empty, and noted, if it is no string."""
        value = parent.get(key)
        if isinstance(value, str):
            return value
        self.add(Defect.NO_ID, f"{where}.{key} is {value!r:.60}, not a string")
        return ""

    def need_object(self, parent: Json, key: str, where: str) -> Json:
        """Take a required object; empty, and noted, if it is none."""
        value = parent.get(key)
        if isinstance(value, dict):
            return value
        self._unlike(value, "an object", f"{where}.{key}")
        return {}

    def need_objects(self, parent: Json, key: str, where: str) -> list[Json]:
        """Take a required list of objects; what is no object is noted and left out."""
        value = parent.get(key)
        if not isinstance(value, list):
            self._unlike(value, "a list", f"{where}.{key}")
            return []
        kept: list[Json] = [item for item in value if isinstance(item, dict)]
        if len(kept) < len(value):
            self.add(Defect.WRONG_SHAPE, f"{where}.{key} has an item that is not an object")
        return kept

    def need_count(self, parent: Json, key: str, where: str) -> int | None:
        """Take a required whole number; None, and noted, if it is none."""
        value = parent.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self._unlike(value, "a whole number", f"{where}.{key}")
        return None

    def _unlike(self, value: object, wanted: str, where: str) -> None:
        told = "missing or null" if value is None else repr(value)[:60]
        self.add(Defect.WRONG_SHAPE, f"{where} is {told}, not {wanted}")
