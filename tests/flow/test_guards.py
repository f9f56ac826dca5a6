"""An upload that arrives in the middle of the move of an older one is moved as well."""

import pytest
from support.flow_aws import Aws
from support.flow_files import make_files
from support.flow_pipeline import PROCESSED, make_pipeline
from support.flow_process import Start, wait_until
from support.flow_proxy import FaultProxy


@pytest.mark.parametrize(("files", "delete"), [(1, "DeleteObject"), (6, "DeleteObjects")])
def test_an_upload_between_copy_and_delete_is_not_deleted(
    honest: Aws, proxy: FaultProxy, start: Start, files: int, delete: str
) -> None:
    """The source is deleted only if it is what was copied, alone and in a batch."""
    pipeline = make_pipeline(honest, max_receives=5, visibility_seconds=60)
    old = make_files(files, seed=files)
    new = [file.next_version() for file in old]
    worker = start(pipeline.environment(proxy.endpoint_url)).ready()
    with proxy.holding(delete):
        with proxy.holding("ReceiveMessage"):  # so that all of them come at once
            wait_until(
                lambda: proxy.held("ReceiveMessage"), "a poll that hangs", 60, worker.picture
            )
            pipeline.upload_all(old)
        wait_until(
            lambda: len(pipeline.keys(PROCESSED)) == files and proxy.held(delete),
            "copies that are made, and deletes that hang",
            60,
            lambda: pipeline.picture() + worker.picture(),
        )
        pipeline.upload_all(new)
    pipeline.wait_until_empty(60, worker.picture())
    assert pipeline.differences(new) == []
    assert pipeline.bodies(pipeline.dlq) == []
