"""What must not be missing, and what files must not be. A value that is merely odd is no reason to refuse anybody."""

from __future__ import annotations

from channels.sniff import is_accepted
from webforms.fields import is_ticked
from webforms.form import MEGABYTE, Field, Form
from webforms.parse import Submission
from webforms.problems import Problem
from webforms.reserved import is_reserved
from webforms.settings import FieldKind


def find_problems(form: Form, submission: Submission) -> list[Problem]:
    """All problems at once, in the order of the form. A file too large comes first, for it decides the status."""
    values = submission.values
    problems = []
    for field in form.required:
        given = values.get(field.name)
        if field.kind is FieldKind.FILE:
            missing = not any(name == field.name for name, _ in submission.files)
        elif field.kind in (FieldKind.CONSENT, FieldKind.CHECKBOX):
            missing = given is None or not any(is_ticked(value) for value in given)
        else:
            missing = given is None or not any(value and not value.isspace() for value in given)
        if missing:
            problems.append(Problem("required", field.name))
    if submission.files and form.files:
        problems = _file_problems(form.files, submission) + problems
    if not problems and not form.required and _is_empty(form, submission):
        problems.append(Problem("empty"))
    return problems


def _is_empty(form: Form, submission: Submission) -> bool:
    trap = form.settings.honeypot
    filled = (name for name, given in submission.values.items() if any(value.strip() for value in given))
    return not submission.files and all(is_reserved(name) or name == trap for name in filled)


def _file_problems(fields: tuple[Field, ...], submission: Submission) -> list[Problem]:
    problems = []
    by_name = {field.name: field for field in fields}
    for name, file in submission.files:
        field = by_name.get(name)
        if field is None:
            continue
        limit = field.settings.max_bytes
        if limit is not None and len(file.data) > limit:
            problems.append(Problem("file_too_large", name, in_words(limit)))
        elif not is_accepted(file.media_type, file.name, field.settings.accept):
            problems.append(Problem("file_type", name, file.media_type))
    return sorted(problems, key=lambda problem: problem.code != "file_too_large")


def in_words(size: int) -> str:
    """`2500000` -> `2.5 MB`."""
    return f"{size / MEGABYTE:.3g} MB" if size >= MEGABYTE else f"{max(1, round(size / 1000))} kB"
