"""Read YAML, and note keys that are there twice: the loader itself takes the last in silence."""

from typing import Any

import yaml


class UniqueKeysLoader(yaml.SafeLoader):
    """Notes, while it composes, which keys a mapping has twice.

    What ``<<`` brings in from elsewhere is no second one: overriding it is its purpose.

    Attributes:
        twice: A line for each, in the order of the file.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[str] = []

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose one mapping, and look at its keys."""
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            line = key.start_mark.line + 1
            first = lines.get((key.tag, key.value))
            if first is None:
                lines[key.tag, key.value] = line
            else:
                self.twice.append(f"{key.value}: is there twice, at lines {first} and {line}")
        return node
