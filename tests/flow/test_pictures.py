"""The pictures' program plays its whole story: every scene happens, and shows what it is about."""

import pytest
from rich.text import Text
from support.pictures.gallery import FOLDER
from support.pictures.scenes import Scene, scenes
from support.pictures.stage import Stage

# One process plays the story once, for all of its scenes.
pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("pictures")]

SHOWN = {
    "apply": ("waiting: the profile is not visible yet", "byte for byte"),
    "verify": ("everything is as the stack file says", "canary", "byte for byte"),
    "plan": ("VisibilityTimeout", "disrupts: every instance", "0 to create, 5 to change"),
    "status": ("2 in service of 2 desired", "in flight", "EC2 consumes"),
    "dlq-list": ("the body is not JSON", "is gone, and was not moved", "would be moved to"),
    "status-trouble": ("set aside: 3", "ALARM", "Unhealthy", "Failed"),
}


@pytest.fixture(scope="module")
def played() -> dict[str, Scene]:
    """Play the story once."""
    with Stage() as stage:
        return {scene.name: scene for scene in scenes(stage)}


def test_every_scene_has_its_picture(played: dict[str, Scene]) -> None:
    """And no other one is played."""
    assert played.keys() == SHOWN.keys()
    assert all((FOLDER / f"{name}.svg").exists() for name in played)


@pytest.mark.parametrize("name", SHOWN)
def test_a_scene_shows_what_it_is_about(played: dict[str, Scene], name: str) -> None:
    """Else the picture would teach something wrong."""
    printed = _flat(played[name].printed)
    assert [each for each in SHOWN[name] if each not in printed] == []


def _flat(printed: str) -> str:
    """Take colours away, and line ends as well: a column may be folded."""
    return " ".join(Text.from_ansi(printed).plain.split())
