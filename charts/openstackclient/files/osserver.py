"""Keeps an interpreter warm for `openstack` commands.

Most of a command's time is the import of its modules. They are imported once here; each request
(oscall.py) is answered by a fork, which has the caller's arguments, environment, folder and streams.
"""

import array
import contextlib
import gc
import importlib
import importlib.metadata
import logging
import os
import signal
import socket
import sys

SOCKET = "/run/landfall/openstack.sock"
# What a command loads only once it has reached the cloud.
LATER = (
    "encodings.idna",
    "keystoneauth1.identity.generic.password",
    "openstack.connection",
    "osc_lib.api.auth",
    "requests.adapters",
)


def preload():
    for name in LATER:
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(f"not preloaded: {name}: {error}", flush=True)
    for group in ("cliff.formatter.list", "cliff.formatter.show", "keystoneauth1.plugin"):
        for entry in importlib.metadata.entry_points(group=group):
            try:
                entry.load()
            except Exception as error:  # a plug-in that does not load is the command's affair
                print(f"not preloaded: {entry.value}: {error}", flush=True)
    # A command that asks no cloud brings in all the others, and fills the caches of entry points.
    from openstackclient import shell

    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        shell.main(["command", "list"])
    # Each call sets up its own.
    logging.getLogger().handlers.clear()


def receive(connection):
    """Arguments, environment, folder and streams of a request."""
    space = socket.CMSG_LEN(3 * array.array("i").itemsize)
    head, ancillary, _, _ = connection.recvmsg(8, space)
    streams = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            streams.frombytes(data)
    length = int.from_bytes(head, "big")
    request = b""
    while len(request) < length:
        part = connection.recv(length - len(request))
        if not part:
            raise EOFError("the caller is gone")
        request += part
    folder, count, *words = request.decode("utf-8", "surrogateescape").split("\0")
    arguments, variables = words[: int(count)], words[int(count) :]
    return arguments, dict(word.split("=", 1) for word in variables), folder, streams


def run(arguments, environment, folder, streams):
    """Runs a command in this process; gives its exit code."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        line_buffered = number == 2 or os.isatty(number)
        stream = open(number, mode, buffering=1 if line_buffered else -1, encoding="utf-8", errors="surrogateescape")
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.environ.clear()
    os.environ.update(environment)
    try:
        os.chdir(folder)
    except OSError:
        os.chdir("/")
    sys.argv = ["openstack", *arguments]
    from openstackclient import shell

    try:
        code = shell.main(arguments)
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        code = 130
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def serve(listener):
    while True:
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            continue
        code = 1
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            listener.close()
            code = run(*receive(connection))
            connection.sendall(bytes([code]))
        except BaseException as error:
            print(f"openstack: {error!r}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # Forks are reaped by the kernel.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # The name in usage lines and versions, kept at import.
    sys.argv = ["openstack"]
    preload()
    gc.collect()
    gc.freeze()
    if os.path.exists(SOCKET):
        os.unlink(SOCKET)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Under another name until it listens: who sees the name can connect.
    listener.bind(SOCKET + ".new")
    listener.listen(16)
    os.rename(SOCKET + ".new", SOCKET)
    print(f"ready: {len(sys.modules)} modules are loaded", flush=True)
    serve(listener)


main()
