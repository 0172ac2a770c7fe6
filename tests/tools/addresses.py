# SPDX-License-Identifier: Apache-2.0
"""Give this network namespace, a new one, its loopback device and IPv4 addresses, and run a command.

  addresses.py ADDRESS,... COMMAND...
"""
import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8914, 0x8916, 1


def main():
    s = socket.socket()
    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    for i, address in enumerate(sys.argv[1].split(",")):
        name = b"lo:%d" % (i + 1)
        fcntl.ioctl(s, SIOCSIFADDR, struct.pack("16sH2x4s8x", name, socket.AF_INET, socket.inet_aton(address)))
    os.execvp(sys.argv[2], sys.argv[2:])


main()
