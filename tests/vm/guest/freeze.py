"""freeze.py PID...: stops the main thread of each process, and no other, until it is ended: a work loop that is stuck. Says "frozen" when they are."""
import ctypes
import os
import sys

SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
for pid in map(int, sys.argv[1:]):
    for request in SEIZE, INTERRUPT:
        if ptrace(request, pid, None, None):
            sys.exit(f"{pid}: {os.strerror(ctypes.get_errno())}")
    os.waitpid(pid, WALL)
print("frozen", flush=True)
# Their ends have to be taken note of here, before their parents can.
for _ in sys.argv[1:]:
    os.waitpid(-1, WALL)
