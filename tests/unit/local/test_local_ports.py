import socket
from pathlib import Path

from deploy.local.ports import free_port, is_free, stable_port


def test_a_name_keeps_its_port(tmp_path: Path) -> None:
    assert stable_port(tmp_path, "redis") == stable_port(tmp_path, "redis")


def test_a_taken_port_is_given_up_and_the_new_one_kept(tmp_path: Path) -> None:
    before = stable_port(tmp_path, "redis")
    with socket.create_server(("127.0.0.1", before)):
        after = stable_port(tmp_path, "redis")

    assert after != before
    assert stable_port(tmp_path, "redis") == after


def test_a_damaged_memory_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")

    assert is_free(stable_port(tmp_path, "redis"))


def test_a_port_in_use_is_not_free() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
