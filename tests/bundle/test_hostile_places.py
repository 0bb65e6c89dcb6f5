"""PREBUILT= of what is no bundle at all: pipes, devices, odd addresses, sites that do harm."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cnnviz.errors import CnnvizError
from gen.__main__ import main as gen
from gen.bundle import fetch


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("", "nothing is named"),
        ("/dev/zero", "a device or a pipe"),
        ("PIPE", "a device or a pipe"),
        ("FOLDER", "a folder, not a file"),
        ("nowhere/x.zip", "no such file"),
        ("~nobody-of-that-name/x.zip", "cannot be read"),
        ("x\0y", "cannot be read"),
        ("x" * 5000, "cannot be read"),
        ("\x1b[31mred\x07\n", "cannot be read"),
        ("http://[bad", "is no address"),
        ("http://a b/x.zip", "is no address"),
        ("http://a/x\ny", "is no address"),
        ("http://a/\x1b[31m", "is no address"),
        ("http://a:abc/x", "is no address"),
        ("http://a:99999/x", "is no address"),
        ("http://", "is no address"),
        ("https:///x", "is no address"),
        ("http:x", "is no address"),
        ("HTTP://127.0.0.1:1/x", "cannot be reached"),
        ("hTTps://127.0.0.1:1/x", "cannot be reached"),
        ("http://.../x", "cannot be read"),
        ("ftp://a/x.zip", "'ftp:' is not read"),
        ("file:///etc/passwd", "'file:' is not read"),
        ("FILE://localhost/etc/passwd", "'file:' is not read"),
        ("file:/etc/passwd", "no such file"),
        ("data://text/plain,x", "'data:' is not read"),
    ],
)
def test_places(tmp_path, capsys, place, said):
    os.mkfifo(tmp_path / "pipe")
    place = {"PIPE": str(tmp_path / "pipe"), "FOLDER": str(tmp_path)}.get(place, place)
    assert gen(["bundle", "use", place]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error[:-1].isprintable()


class Hostile(BaseHTTPRequestHandler):
    """Answers in ways that a site should not."""

    def do_GET(self):
        ways = {
            "/file": (302, "file:///etc/passwd"),
            "/ftp": (301, "ftp://127.0.0.1/x"),
            "/circle": (302, "/circle"),
            "/odd": (302, "http://127.0.0.1:port/"),
        }
        if self.path in ways:
            code, where = ways[self.path]
            self.send_response(code)
            self.send_header("Location", where)
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
        elif self.path == "/red":
            self.send_response(500, "\x1b[31mred")
        elif self.path == "/none":
            self.wfile.write(b"\x1b[31m no http\r\n\r\n")
            return
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("path", ["file", "ftp", "circle", "odd", "short", "red", "none"])
def test_sites(tmp_path, capsys, path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert gen(["bundle", "use", f"http://127.0.0.1:{server.server_port}/{path}"]) == 1
        server.shutdown()
    error = capsys.readouterr().err
    assert error[:-1].isprintable()
    assert "root:" not in error


def test_a_download_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "PATIENCE", -1)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(CnnvizError, match="takes longer"):
            fetch.fetch(f"http://127.0.0.1:{server.server_port}/short")
        server.shutdown()
