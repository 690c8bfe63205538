"""The rules of the house, each a function from a module to what is wrong in it. The lists are short on purpose."""

from collections.abc import Callable, Iterator

from tests.house.source import ROOT, Module

COMMITS = {"storage/unit.py"}
OPENS_TRANSACTIONS = COMMITS | {"storage/schema.py", "storage/driver.py"}
CONNECTS = {"engine", "writer", "reader", "connection", "session"}
READS_ENVIRONMENT = {"hub/settings.py"}
READS_CLOCK = {"hub/clock.py"}
NAMELESS = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}
CLOCKS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "datetime.datetime.now", "datetime.datetime.utcnow"),
    *("datetime.datetime.today", "date.today", "datetime.date.today", "time.time", "time.time_ns"),
    *("time.localtime", "time.gmtime"),
}
ENVIRONMENT = {"os.environ", "os.getenv", "os.putenv", "os.environb"}
LONGEST_FILE = 400
# Tables that only grow by rows; one file each says why it is one file.
LONGER: dict[str, int] = {"storage/migrations/versions/0001_first.py": 620}  # written once, read never

Rule = Callable[[Module], Iterator[str]]


def strangers(module: Module) -> Iterator[str]:
    """One channel folder never imports another."""
    own = _channel_of(module.dotted)
    for line, name in module.imports():
        other = _channel_of(name)
        if own and other and other != own:
            yield f"{module.path}:{line}: channel {own} imports channel {other}"


def telling_names(module: Module) -> Iterator[str]:
    """A file is the noun of its one subject."""
    for word in module.dotted.split("."):
        if word in NAMELESS:
            yield f"{module.path}: {word} names nothing"


def one_committer(module: Module) -> Iterator[str]:
    """Nobody but the unit of work commits."""
    for line, call in module.calls():
        *owner, verb = call.split(".")
        if verb == "commit" and owner and module.path not in COMMITS:
            yield f"{module.path}:{line}: {call}() outside the unit of work"
        if verb == "begin" and owner and owner[-1] in CONNECTS and module.path not in OPENS_TRANSACTIONS:
            yield f"{module.path}:{line}: {call}() commits at its end; use a unit of work"


def one_reader_of_the_environment(module: Module) -> Iterator[str]:
    """Nobody but the settings reads the environment."""
    if module.path in READS_ENVIRONMENT:
        return
    for line, name in (*module.attributes(), *module.imports()):
        if name in ENVIRONMENT:
            yield f"{module.path}:{line}: {name} outside hub/settings.py"


def time_comes_in(module: Module) -> Iterator[str]:
    """The current time comes in as an argument; monotonic clocks measure durations and are free."""
    if module.path in READS_CLOCK:
        return
    for line, name in (*module.attributes(), *module.imports()):
        if name in CLOCKS:
            yield f"{module.path}:{line}: {name} outside hub/clock.py"


def a_docstring(module: Module) -> Iterator[str]:
    """Every module says what it is; an empty file that only marks a folder of tests says nothing."""
    if module.path.startswith("tests/") and not module.text.strip():
        return
    body = module.tree.body
    first = body[0] if body else None
    text = getattr(getattr(first, "value", None), "value", None)
    if not (isinstance(text, str) and text.strip()):
        yield f"{module.path}: no docstring"


def short_enough(module: Module) -> Iterator[str]:
    """A file that is longer has two subjects."""
    length = len(module.text.splitlines())
    if length > LONGER.get(module.path, LONGEST_FILE):
        yield f"{module.path}: {length} lines"


FOR_THE_HOUSE: tuple[Rule, ...] = (
    strangers,
    telling_names,
    one_committer,
    one_reader_of_the_environment,
    time_comes_in,
    a_docstring,
    short_enough,
)
FOR_TESTS: tuple[Rule, ...] = (telling_names, a_docstring, short_enough)


def _channel_of(dotted: str) -> str | None:
    """The channel whose folder a name is in; ``channels.touch`` and other shared files are no channel."""
    words = dotted.split(".")
    if words[0] != "channels" or len(words) < 2 or not (ROOT / "channels" / words[1]).is_dir():
        return None
    return words[1]
