"""Bodies as browsers, old sites and programs write them."""

from __future__ import annotations

import json
from urllib.parse import quote, unquote_to_bytes, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.sniff import is_accepted, media_type_of
from webforms.charset import guess, known
from webforms.parse import MAX_VALUES, _unquote, parse
from webforms.problems import Refused

FORM = "application/x-www-form-urlencoded"
_NAMES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20).filter(
    lambda name: name.strip() == name and name != "_charset_" and not name.endswith("[]")
)
_VALUES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=60)


@settings(max_examples=150)
@given(st.dictionaries(_NAMES, _VALUES, max_size=8))
def test_three_writings_of_one_form_read_alike(sent: dict[str, str]) -> None:
    expected = {name: [value] for name, value in sent.items()}
    assert parse(urlencode(sent).encode(), FORM, "RU").values == expected
    assert parse(json.dumps(sent).encode(), "application/json; charset=utf-8", "RU").values == expected
    assert parse(_multipart(sent), "multipart/form-data; boundary=xx", "RU").values == expected


@settings(max_examples=200)
@given(st.text(alphabet="%=+&\r\n aF09zд", max_size=30), st.booleans())
@example("%3D=%", True)
@example("a =20", False)
def test_percents_are_decoded_as_the_library_does(text: str, quoted: bool) -> None:
    data = (quote(text, safe="%=") if quoted else text).encode()
    assert _unquote(data) == unquote_to_bytes(data.replace(b"+", b" "))


def _multipart(sent: dict[str, str]) -> bytes:
    escape = {'"': "%22", "\r": "%0D", "\n": "%0A"}
    parts = []
    for name, value in sent.items():
        quoted = "".join(escape.get(letter, letter) for letter in name)
        parts.append(f'--xx\r\nContent-Disposition: form-data; name="{quoted}"\r\n\r\n{value}\r\n')
    return "".join([*parts, "--xx--\r\n"]).encode()


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from([FORM, "application/json", "multipart/form-data; boundary=xx"]))
@example(b"--xx\r\n\r\n--xx", "multipart/form-data; boundary=xx")
@example(b"%", FORM)
@example(b'{"a": "\\ud800"}', "application/json")
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    try:
        submission = parse(body, content_type, "PL")
    except Refused as refusal:
        assert refusal.status in (400, 413)
        return
    for name, given_values in submission.values.items():
        "".join([name, *given_values]).encode()
        assert "\x00" not in name + "".join(given_values)


@settings(max_examples=100)
@given(st.text(alphabet="абвгдежзийклмнопрстуфхцчшщъыьэюяАБВЁё ,.!0123456789", min_size=1, max_size=40))
def test_windows_1251_is_never_lost(text: str) -> None:
    body = urlencode({"message": text}, encoding="cp1251").encode()
    assert parse(body, FORM, "RU").first("message") in (text, _as_utf8(text))
    assert parse(body + b"&_charset_=windows-1251", FORM, "RU").first("message") == text
    assert parse(body, FORM + "; charset=Windows-1251", "PL").first("message") == text


def _as_utf8(text: str) -> str:
    """Two Cyrillic letters may happen to be one of UTF-8; who declares no charset is taken to mean UTF-8 then."""
    return text.encode("cp1251").decode("utf-8", "replace")


def test_a_wrong_charset_loses_nothing() -> None:
    sent = urlencode({"m": "Привет"}).encode()
    assert parse(sent, FORM + "; charset=ascii", "RU").first("m") == "Привет"
    assert parse(sent, FORM + "; charset=no-such", "RU").first("m") == "Привет"
    assert parse(sent, FORM + "; charset=zlib", "RU").first("m") == "Привет"
    assert parse(urlencode({"m": "Zażółć"}, encoding="cp1250").encode(), FORM, "PL").first("m") == "Zażółć"
    assert known("unicode_escape") is None
    assert known("KOI8-U") == "koi8-u"
    assert guess([b"\xff\xfe"], None, "UA") == "cp1251"


def test_json_in_windows_1251() -> None:
    assert parse('{"m": "Привет"}'.encode("cp1251"), "application/json", "RU").first("m") == "Привет"


def test_repeated_names_and_brackets_are_lists() -> None:
    assert parse(b"a=1&a=2&b[]=3&b[]=4&c", FORM, "RU").values == {"a": ["1", "2"], "b": ["3", "4"], "c": [""]}


def test_more_fields_than_sane_are_remarked_on() -> None:
    submission = parse(urlencode({f"f{n}": n for n in range(MAX_VALUES + 5)}).encode(), FORM, "RU")
    assert len(submission.values) == MAX_VALUES
    assert submission.remarks


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('filename="отчёт.pdf"', "отчёт.pdf"),
        ("filename=\"x.pdf\"; filename*=UTF-8''%D0%BE%D1%82.pdf", "от.pdf"),
        ('filename="a\\"b%22c.pdf"', 'a"b"c.pdf'),
        ('filename="C:\\docs\\new.pdf"', "new.pdf"),
        ('filename="../../etc/passwd"', "passwd"),
        ("filename=plain.pdf", "plain.pdf"),
        ('filename="%D0%BE%D1%82.pdf"', "от.pdf"),
    ],
)
def test_file_names(head: str, name: str) -> None:
    body = f'--b\nContent-Disposition: form-data; name="f"; {head}\n\n%PDF-1.7\n--b'.encode()
    ((field, file),) = parse(body, 'multipart/form-data; boundary="b"', "RU").files
    assert (field, file.name, file.data) == ("f", name, b"%PDF-1.7")


def test_a_file_name_in_windows_1251() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="'
        + "отчёт.txt".encode("cp1251")
        + b'"\r\n\r\nx\r\n'
    )
    assert parse(body, "multipart/form-data; boundary=b", "RU").files[0][1].name == "отчёт.txt"


def test_multipart_without_boundary_is_refused() -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=zz"):
        with pytest.raises(Refused) as refusal:
            parse(b"--b\r\n", content_type, "RU")
        assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "a.exe", "image/png"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic", "", "image/heic"),
        (b"MZ\x90\x00", "invoice.pdf", "application/vnd.microsoft.portable-executable"),
        (b"  <!DOCTYPE html><html>", "a.txt", "text/html"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "a.png", "image/svg+xml"),
        (b"a;b\n1;2", "a.csv", "text/csv"),
        ("привет".encode(), "a.txt", "text/plain"),
        ("привет".encode("cp1251"), "a.txt", "text/plain"),
        (b"\x00\x01\x02", "a.txt", "application/octet-stream"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "application/msword"),
    ],
)
def test_files_are_what_they_are(data: bytes, name: str, media_type: str) -> None:
    assert media_type_of(data, name) == media_type


def test_accept_lists() -> None:
    assert is_accepted("image/png", "a.png", ())
    assert is_accepted("image/png", "a.bin", ("image/*",))
    assert is_accepted("application/zip", "a.DOCX", (".docx",))
    assert not is_accepted("application/vnd.microsoft.portable-executable", "a.docx", (".docx",))
    assert not is_accepted("application/pdf", "a.pdf", ("image/*",))
