"""Becomes another program that dies with the process which started it.

Run as a script, never imported: ``tether.py PARENT UID GID SIGNAL PROGRAM [ARGUMENT…]``. Steps down to UID:GID
(``-1`` keeps them), asks the kernel for SIGNAL when PARENT dies however it dies, then executes PROGRAM.
The order matters: the kernel forgets the wish when a process changes its user (prctl(2), PR_SET_PDEATHSIG).
A program that changes users by itself would make the kernel forget; with SIGNAL 0 this script stays on as a guard,
passes SIGTERM on to the program, and takes the whole process group down when either of the two is gone.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Read the arguments and turn into the program."""
    parent, uid, gid, farewell = (int(word) for word in sys.argv[1:5])
    command = sys.argv[5:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, farewell or signal.SIGTERM)
    if os.getppid() != parent:  # died before the kernel could be asked
        sys.exit(1)
    if not farewell:
        guard(command)
    os.execv(command[0], command)


def guard(command: list[str]) -> None:
    """Run the program as a child; never returns in the guard."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    child = os.fork()
    if not child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.waitpid(child, 0)
    os.killpg(0, signal.SIGKILL)


main()
