"""Downloads are bounded in number, size and time, and close their temporary files."""

from collections.abc import Iterator

import pytest

from scimsvc.errors import Conflict
from scimsvc.web import downloads
from scimsvc.web.downloads import DownloadRunning, Downloads


def test_an_enterprise_has_one_download_at_a_time() -> None:
    all_downloads = Downloads()
    with all_downloads.write("a", ["1\n", "2\n"]) as file:
        with pytest.raises(DownloadRunning, match="is not finished"):
            all_downloads.write("a", [])
        with all_downloads.write("b", []) as other:
            assert other.read() == b""
        assert file.read() == b"1\n2\n"

    all_downloads.write("a", []).close()


def test_a_file_that_was_never_closed_blocks_nothing() -> None:
    all_downloads = Downloads()
    with pytest.warns(ResourceWarning):
        all_downloads.write("a", [])

    all_downloads.write("a", []).close()


def test_a_process_writes_two_files_at_a_time() -> None:
    all_downloads = Downloads()

    def lines() -> Iterator[str]:
        all_downloads.write("b", inner()).close()
        yield ""

    def inner() -> Iterator[str]:
        with pytest.raises(DownloadRunning, match="other downloads"):
            all_downloads.write("c", [])
        yield ""

    all_downloads.write("a", lines()).close()
    all_downloads.write("c", []).close()


@pytest.mark.parametrize(
    ("bound", "value", "words"), [("MOST_BYTES", 3, "more than 0 MiB"), ("MOST_SECONDS", -1.0, "within -1 seconds")]
)
def test_a_file_that_is_too_large_or_too_slow_is_refused(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: float, words: str
) -> None:
    all_downloads = Downloads()
    with monkeypatch.context() as patch:
        patch.setattr(downloads, bound, value)
        with pytest.raises(Conflict, match=f"{words}.*shorter period"):
            all_downloads.write("a", ["four\n"])

    all_downloads.write("a", ["four\n"]).close()


def test_an_error_while_writing_blocks_nothing() -> None:
    def failing() -> Iterator[str]:
        yield "1\n"
        raise RuntimeError

    all_downloads = Downloads()
    for _ in range(3):
        with pytest.raises(RuntimeError):
            all_downloads.write("a", failing())
    all_downloads.write("a", []).close()
