"""The pictures of the documentation are there, ask nobody for anything, and can be drawn anew."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.pictures.gallery import FOLDER, still
from support.pictures.settling import Settling
from support.pictures.terminal import drawn

ROOT = FOLDER.parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = re.compile(r'(?:\]\(|src=")([^)"]+\.svg)[)"]')


def test_every_picture_that_a_page_shows_is_there_and_every_picture_is_shown() -> None:
    """No broken image, and none that nobody sees."""
    shown = {
        (page.parent / path).resolve()
        for page in PAGES
        for path in SHOWN.findall(page.read_text(encoding="utf-8"))
    }
    assert shown >= set(FOLDER.glob("*.svg"))
    assert [path for path in shown if not path.exists()] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem)
def test_a_picture_is_an_svg_with_a_title_and_loads_nothing(path: Path) -> None:
    """A page shows it as an image: there is no font, script or picture to be had from elsewhere."""
    root = ET.parse(path).getroot()  # noqa: S314 # our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.findtext("{http://www.w3.org/2000/svg}title")
    text = ET.tostring(root, encoding="unicode")
    assert not re.search(r'href="(?!#)|url\((?!#)|@import|@font-face|<\w*:?script', text)


@pytest.mark.parametrize(("name", "svg"), list(still()), ids=lambda each: each[:9])
def test_pictures_that_need_no_aws_are_up_to_date(name: str, svg: str) -> None:
    """Drawn again, they are what hangs there (`make pictures`)."""
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == svg


def test_what_differs_from_run_to_run_is_drawn_as_something_else_of_its_kind() -> None:
    """Equal ids stay equal, others stay different; widths stay, so tables do as well."""
    settle = Settling()
    one, two = "i-0123456789abcdef0", "i-0fedcba9876543210"
    first, again, other = settle(f"{one} {one} {two}").split()
    assert first == again == settle(one)
    assert not {one, two, first} & {other}
    assert len(first) == len(one)
    assert settle("at 2031-01-01 10:00:00 UTC") == "at 2026-03-02 09:41:07 UTC"
    assert settle("us-east-2c us-east-2a us-east-2c") == "us-east-2a us-east-2b us-east-2a"
    assert settle("account 123456789012") == "account 123456789012"


def test_colours_are_drawn() -> None:
    """ANSI's red becomes the theme's."""
    assert "fill: #f07178" in drawn("say", "\x1b[31mno\x1b[0m", "x")
    assert "fill: #f07178" not in drawn("say", "no", "x")
