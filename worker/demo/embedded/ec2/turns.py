"""One EC2 or Auto Scaling request at a time; before and after each, time passes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from moto.autoscaling.responses import AutoScalingResponse
from moto.ec2.responses import EC2Response

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Make every request of both services take its turn."""
    for service in (EC2Response, AutoScalingResponse):
        layer.patches.wrap(service, "call_action", lambda f: in_turn(layer, f))


def in_turn(layer: "Layer", call: Handler) -> Handler:
    """Let the state machines go on to the clock's now, carry out the request, let them go on.

    So a test needs no thread: whoever looks sees what the clock says.
    """

    def called(self: Moto) -> Moto:
        with layer.region_lock:
            layer.pass_time()
            answer = call(self)
            layer.pass_time()
        return answer

    return called
