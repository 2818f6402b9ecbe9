"""Runs one `openstack` command in the warm interpreter beside it (osserver.py).

Passes arguments, environment, folder and the three standard streams over a socket, and ends with the
command's exit code. Imports little, and is called with -S -E, so that its own start costs next to
nothing. Without a server it becomes the plain command.
"""

import os
import sys

SOCKET = "/run/landfall/openstack.sock"


def main():
    import _socket

    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(SOCKET)
    except OSError:
        os.execvp("openstack", ["openstack", *sys.argv[1:]])
    words = [os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:]]
    words += [f"{name}={value}" for name, value in os.environ.items()]
    request = "\0".join(words).encode("utf-8", "surrogateescape")
    streams = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (0, 1, 2))
    head = len(request).to_bytes(8, "big")
    connection.sendmsg([head], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    connection.sendall(request)
    answer = connection.recv(1)
    # No answer: the command was killed.
    os._exit(answer[0] if answer else 137)


main()
