from types import TracebackType
from typing import Any, Generic, Self, TypeVar

Row = TypeVar("Row", covariant=True)

class MySQLError(Exception): ...

class Cursor:
    @property
    def description(self) -> Any: ...
    def execute(self, query: str, args: object = None) -> int: ...
    def fetchall(self) -> tuple[tuple[Any, ...], ...]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

class Connection(Generic[Row]):
    def cursor(self) -> Cursor: ...
    def close(self) -> None: ...

def connect(
    *,
    host: str = "",
    port: int = 3306,
    user: str = "",
    password: str = "",
    database: str = "",
    connect_timeout: float = 10,
    read_timeout: float | None = None,
    charset: str = "",
    autocommit: bool = False,
) -> Connection[Any]: ...
