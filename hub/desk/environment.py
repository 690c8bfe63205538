"""The templates of one language: what they can say, and how instants and spans are written in them."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes, pass_context
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer

from hub.desk.language import Speech

_TEMPLATES = Path(__file__).parent / "templates"


class _Environment(Environment):
    """One language's templates: their texts are translated when they are compiled, not each time they are shown."""

    translate: Callable[[str], str]

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Jinja copies the globals for each template that it renders; of a plain dictionary that is quick."""
        return {**self.globals, **(d or {})}

    def _generate(self, source: nodes.Template, *args: Any, **more: Any) -> str:
        return super()._generate(_Translator(self.translate).visit(source), *args, **more)


class _Translator(NodeTransformer):
    """Puts the translated text where a template says `_("text")`; what is filled in is still escaped."""

    def __init__(self, translate: Callable[[str], str]) -> None:
        self._translate = translate

    def get_visitor(self, node: nodes.Node) -> Any:
        """Only calls are looked at."""
        return self._visit_call if isinstance(node, nodes.Call) else None

    def _visit_call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        if not (isinstance(node.node, nodes.Name) and node.node.name == "_" and len(node.args) == 1):
            return node
        text = node.args[0]
        if not isinstance(text, nodes.Const) or node.dyn_args is not None or node.dyn_kwargs is not None:
            return node
        translated = nodes.MarkSafe(nodes.Const(self._translate(text.value)))
        filled = [nodes.Pair(nodes.Const(one.key), one.value) for one in node.kwargs]
        return nodes.Mod(translated, nodes.Dict(filled)).set_lineno(node.lineno)


def make_environment(speech: Speech) -> Environment:
    """The templates in one language."""
    made = _Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.translate = speech.texts.gettext
    made.install_gettext_translations(speech.texts, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(
        moment=_with_zone(speech.moment),
        day=_with_zone(speech.day),
        full_moment=_full_moment(speech),
        clock=_clock(speech),
        local_input=_local_input,
        iso=lambda at: at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        ago=_ago(speech),
        duration=speech.duration,
        size=speech.size,
        number=speech.number,
    )
    return made


def _with_zone(write: Callable[[datetime, tzinfo, datetime], str]) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return write(at, context["zone"], context["now"])

    return filtered


def _full_moment(speech: Speech) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return speech.full_moment(at, context["zone"])

    return filtered


def _clock(speech: Speech) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return speech.clock(at, context["zone"])

    return filtered


def _ago(speech: Speech) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return speech.ago(at, context["now"])

    return filtered


@pass_context
def _local_input(context: Context, at: datetime | None) -> str:
    """What an <input type="datetime-local"> wants."""
    return at.astimezone(context["zone"]).strftime("%Y-%m-%dT%H:%M") if at else ""
