"""A lab that was killed leaves nothing that the next one trips over."""

import subprocess
import sys
from pathlib import Path

import pytest
from region.lab import network
from region.lab.container import groups, leftovers
from region.lab.place import Place
from region.lab.sweep import mounts, sweep

pytestmark = pytest.mark.region

LAB = """
import sys
from pathlib import Path
from region.lab.journal import Journal
from region.lab.region import open_region
from region.lab.waiting import wait_until
with open_region(Path(sys.argv[1]), Journal()) as region:
    ec2 = region.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.run_instances(ImageId=image, SubnetId=subnet, MinCount=1, MaxCount=1)
    machine, = region.machines.all()
    wait_until(lambda: machine.container.is_running, "a container", 60)
    print(region.place.number, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_lab_left_is_swept_away(base: Path) -> None:
    """Containers, mounts, control groups and namespaces outlive a kill -9; then none does."""
    tests = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", LAB, str(base)],
        cwd=tests.parent,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{tests}:{tests.parent}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as lab:
        assert lab.stdout is not None
        place = Place(int(lab.stdout.readline()))
        lab.kill()
    assert len(network.namespaces(place)) == 2
    assert mounts(place)
    assert groups(place)
    with place.held():
        sweep(place)
    assert network.namespaces(place) + mounts(place) == []
    assert groups(place) + leftovers(place) == []
    assert not place.work.exists()
