"""Signed texts: they stay JSON, Markdown or HTML, and no byte of them can be changed unseen."""

import json

import pytest

from engine.errors import InvariantBroken
from storage.sealed import Form, body_of, check_seal, seal
from storage.signing import SEED_BYTES, Purpose, SigningKey

KEY, OTHER = SigningKey(b"k" * SEED_BYTES), SigningKey(b"o" * SEED_BYTES)
KEYS = (KEY.public,)
DOCUMENT = {"report": {"title": "T-1 é", "sum": 1.5}}
JSON = json.dumps(DOCUMENT, indent=1) + "\n"
TEXTS = {Form.JSON: JSON, Form.COMMENT: "# T-1\n\ntext é\n"}


@pytest.mark.parametrize("form", Form)
def test_a_signed_text_proves_its_bytes(form: Form) -> None:
    content = seal(TEXTS[form], form, KEY)
    verdict = check_seal(content, KEYS)
    assert verdict.ok
    assert verdict.key == KEY.public.id
    assert verdict.body == body_of(TEXTS[form], form)
    assert content.startswith(verdict.body)


def test_signed_json_is_json() -> None:
    found = json.loads(seal(JSON, Form.JSON, KEY))
    assert found["report"] == DOCUMENT["report"]
    assert KEY.public.made(found["signature"])


def test_a_comment_is_the_last_line() -> None:
    lines = seal("a", Form.COMMENT, KEY).decode().split("\n")
    assert lines[0] == "a"
    assert lines[1].startswith("<!-- signature ed25519:")
    assert lines[2:] == [""]


@pytest.mark.parametrize("form", Form)
def test_every_flipped_byte_is_detected(form: Form) -> None:
    content = seal(TEXTS[form], form, KEY)
    for at in range(len(content)):
        for bit in (1, 0x20, 0x80):
            changed = content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :]
            assert not check_seal(changed, KEYS).ok, at


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("change", [b"\n", b" ", b"x", b"<!-- -->\n"])
def test_nothing_can_be_added_at_either_end(form: Form, change: bytes) -> None:
    content = seal(TEXTS[form], form, KEY)
    assert not check_seal(content + change, KEYS).ok
    assert not check_seal(change + content, KEYS).ok


@pytest.mark.parametrize("form", Form)
def test_nothing_can_be_left_out(form: Form) -> None:
    content = seal(TEXTS[form], form, KEY)
    for at in range(len(content)):
        assert not check_seal(content[:at] + content[at + 1 :], KEYS).ok
        assert not check_seal(content[:at], KEYS).ok


def test_a_text_without_a_signature_says_so() -> None:
    verdict = check_seal(b"# T-1\n", KEYS)
    assert (verdict.ok, verdict.key, verdict.problem) == (False, "", "it carries no signature")


def test_another_installations_text_is_told_from_a_forged_one() -> None:
    content = seal("a", Form.COMMENT, OTHER)
    verdict = check_seal(content, KEYS)
    assert (verdict.ok, verdict.key) == (False, OTHER.public.id)
    assert f"key {OTHER.public.id}, which is not at hand ({KEY.public.id})" in verdict.problem
    assert check_seal(content, (KEY.public, OTHER.public)).ok
    assert "not at hand (none)" in check_seal(content, ()).problem


def test_a_signature_for_another_purpose_is_refused() -> None:
    body = body_of("a", Form.COMMENT)
    signature = KEY.sign(Purpose.MODEL, body).encode()
    assert not check_seal(body + b"<!-- signature " + signature + b" -->\n", KEYS).ok


def test_a_signed_text_that_is_signed_again_holds_the_first_inside() -> None:
    first = seal("a", Form.COMMENT, KEY)
    second = seal(first.decode(), Form.COMMENT, KEY)
    assert check_seal(second, KEYS).body == first


def test_json_on_one_line_is_our_own_mistake() -> None:
    with pytest.raises(InvariantBroken):
        seal('{"a": 1}', Form.JSON, KEY)
