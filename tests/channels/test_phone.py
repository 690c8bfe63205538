"""Numbers as people, forms and exchanges write them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels import address, phone
from channels.phone import is_hidden, normalise, read_phones
from channels.touch import Identity


@pytest.mark.parametrize(
    ("text", "region", "values"),
    [
        ("(812) 325 8351, 575 0480", "RU", ["+78123258351", "+78125750480"]),
        ("8 (812) 325-83-51", "RU", ["+78123258351"]),
        ("(812) 712 6607 факс", "RU", ["+78127126607"]),
        ("(4922) 32-58-51, 57-04-80", "RU", ["+74922325851", "+74922570480"]),
        ("(812) 325-83-51/52", "RU", ["+78123258351", "+78123258352"]),
        ("8 812 3258351 8 916 1234567", "RU", ["+78123258351", "+79161234567"]),
        ("8(812)325-83-51;8(916)1234567", "RU", ["+78123258351", "+79161234567"]),
        ("7 (812) 325 83 51 / +48 22 123 45 67", "RU", ["+78123258351", "+48221234567"]),
        ("+7 812 325 83 51, 101", "RU", ["+78123258351", "101"]),
        ("(495) ,", "RU", []),
        ("(495) , 123 45 67", "RU", ["+74951234567"]),
        ("", "RU", []),
        ("нет", "RU", []),
        ("9161234567", "RU", ["+79161234567"]),
        ("+8 916 123-45-67", "RU", ["+79161234567"]),
        ("8-10-380-44-234-56-78", "RU", ["+380442345678"]),
        ("8 044 234 56 78", "UA", ["+380442345678"]),
        ("044 234 56 78", "UA", ["+380442345678"]),
        ("0 22 123 45 67", "PL", ["+48221234567"]),
        ("48221234567", "RU", ["+48221234567"]),
        ("+44 (0)20 7946 0958", "RU", ["+442079460958"]),
        ("８（８１２）３２５８３５１", "RU", ["+78123258351"]),
        ("8\u00a0812\u00a0325\u201183\u201151", "RU", ["+78123258351"]),
        ("тел. 8 812 325-83-51, звонить после 18", "RU", ["+78123258351"]),
        ("1-800-FLOWERS", "US", ["+18003569377"]),
        ("٨١٢٣٢٥٨٣٥١", "RU", ["+78123258351"]),
        ("101", "RU", ["101"]),
        ("112", "UA", ["112"]),
        ("101, 102", "PL", ["101", "102"]),
    ],
)
def test_numbers_are_found_as_written(text: str, region: str, values: list[str]) -> None:
    found = read_phones(text, region)
    assert [phone.value for phone in found] == values
    assert not any(phone.odd for phone in found)
    assert all(phone.short == (not phone.value.startswith("+")) for phone in found)


@pytest.mark.parametrize(
    ("text", "region", "extension"),
    [
        ("8 (812) 325-83-51 доб. 12", "RU", "12"),
        ("+7 (812) 325-83-51, доб. 12", "RU", "12"),
        ("+7 812 325 83 51 ext 12", "RU", "12"),
        ("22 123 45 67 wew. 3", "PL", "3"),
        ("044 234 56 78 дод. 7", "UA", "7"),
        ("+78123258351#12", "RU", "12"),
        ("+78123258351,,12", "RU", "12"),
        ("+78123258351 x12", "RU", "12"),
    ],
)
def test_extensions_are_told_from_numbers(text: str, region: str, extension: str) -> None:
    (phone,) = read_phones(text, region)
    assert phone.extension == extension
    assert len(phone.value) in (12, 13)


def test_what_does_not_parse_is_kept_as_written_and_flagged() -> None:
    assert normalise(" 575 0480 ", "RU") == Identity("phone", "575 0480", odd=True)
    assert normalise("12345678901234567890", "RU").odd
    (sender,) = read_phones("Tele2", "RU")
    assert sender.alphanumeric
    assert sender.odd


def test_short_codes_are_not_read_as_numbers_of_the_region() -> None:
    assert normalise("7777", "UA") == Identity("phone", "7777")


@pytest.mark.parametrize("text", [None, "", "anonymous", "<Unknown>", "Restricted", "скрытый", "zastrzeżony"])
def test_hidden_callers_are_told(text: str | None) -> None:
    assert is_hidden(text)
    assert read_phones(text or "", "RU") == []


def test_ordinary_callers_are_not_hidden() -> None:
    assert not is_hidden("+78123258351")


@settings(max_examples=150)
@given(st.from_regex(r"\+(7[3-9]\d{9}|380\d{9}|48\d{9})", fullmatch=True))
@example("+78123258351")
def test_the_fast_path_agrees_with_the_metadata(text: str) -> None:
    number = phonenumbers.parse(text, "RU")
    if phonenumbers.is_valid_number(number):
        assert normalise(text, "PL").value == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@settings(max_examples=200)
@given(st.from_regex(r"(8|7|48|380?|0)?[ ]?[(]?[0-9]{2,3}[)]?[ -]?[0-9]{3}-?[0-9]{2}-?[0-9]{1,2}", fullmatch=True))
@example("8 (812) 325-83-51")
@example("481234567")
def test_the_fast_path_of_national_forms_agrees_with_the_slow_one(text: str) -> None:
    for region in ("RU", "UA", "PL"):
        fast, slow = phone._plainly(text, region), phone._read(text, region)
        if fast is not None and phonenumbers.is_valid_number(phonenumbers.parse(fast)):
            assert [one.value for one in slow] == [fast]


@settings(max_examples=200)
@given(st.text(alphabet="0123456789()+-/., доб#x", max_size=30), st.sampled_from(["RU", "UA", "PL", "US"]))
def test_reading_never_fails_and_is_stable(text: str, region: str) -> None:
    for found in read_phones(text, region):
        if not found.odd:
            assert [again.value for again in read_phones(found.value, region)] == [found.value]


@pytest.mark.parametrize(
    ("text", "value", "odd"),
    [
        ("A@B.PL", "a@b.pl", False),
        (" mailto:a@b.pl, ", "a@b.pl", False),
        ("почта@Пример.РФ", "почта@пример.рф", False),
        ("x@xn--e1afmkfd.xn--p1ai", "x@пример.рф", False),
        ("a+tag@sub.b.co.uk", "a+tag@sub.b.co.uk", False),
        ("a@b", "a@b", True),
        ("нет почты", "нет почты", True),
    ],
)
def test_addresses(text: str, value: str, odd: bool) -> None:
    assert address.normalise(text) == Identity("email", value, odd=odd)


def test_a_name_before_an_address_is_kept() -> None:
    assert address.normalise('"Anna S." <Anna@B.pl>') == Identity("email", "anna@b.pl", "Anna S.")


def test_several_addresses_in_one_text() -> None:
    found = address.read_addresses("a@b.pl или c@d.com.")
    assert [identity.value for identity in found] == ["a@b.pl", "c@d.com"]
