"""Runs single instructions under Unicorn (Debian's python3-unicorn): records on stdin, results on stdout.

A record is 320 bytes: length of the code and 15 bytes of it, 16 general registers, RFLAGS, XMM0 and XMM1, 128 bytes of
memory at 0x200000, whether to stop after one instruction (8 bytes). A result is 312 bytes: 16 general registers, RFLAGS, RIP,
the two XMM registers, memory, and the exception's vector or -1 (8 bytes).
"""
import struct
import sys

from unicorn import UC_ARCH_X86, UC_HOOK_INTR, UC_MODE_64, Uc, UcError
from unicorn import x86_const as x

CODE = 0x100000
DATA = 0x200000
GENERAL = [
    x.UC_X86_REG_RAX, x.UC_X86_REG_RCX, x.UC_X86_REG_RDX, x.UC_X86_REG_RBX,
    x.UC_X86_REG_RSP, x.UC_X86_REG_RBP, x.UC_X86_REG_RSI, x.UC_X86_REG_RDI,
    x.UC_X86_REG_R8, x.UC_X86_REG_R9, x.UC_X86_REG_R10, x.UC_X86_REG_R11,
    x.UC_X86_REG_R12, x.UC_X86_REG_R13, x.UC_X86_REG_R14, x.UC_X86_REG_R15,
]
MASK = (1 << 64) - 1
raised = -1


def interrupted(uc, number, _data):
    global raised
    raised = number
    uc.emu_stop()


uc = Uc(UC_ARCH_X86, UC_MODE_64)
uc.mem_map(CODE, 0x10000)
uc.mem_map(DATA, 0x10000)
uc.hook_add(UC_HOOK_INTR, interrupted)
last = b""
records = sys.stdin.buffer.read()
out = bytearray()
for at in range(0, len(records), 320):
    record = records[at : at + 320]
    length = record[0]
    code = record[1 : 1 + length]
    values = struct.unpack_from("<17Q", record, 16)
    memory = record[184:312]
    one = record[312]
    if code != last:
        uc.mem_write(CODE, code + b"\xf4" * 64)
        uc.ctl_remove_cache(CODE, CODE + 0x100) if hasattr(uc, "ctl_remove_cache") else None
        last = code
    for register, value in zip(GENERAL, values):
        uc.reg_write(register, value)
    uc.reg_write(x.UC_X86_REG_EFLAGS, values[16])
    uc.reg_write(x.UC_X86_REG_XMM0, int.from_bytes(record[152:168], "little"))
    uc.reg_write(x.UC_X86_REG_XMM1, int.from_bytes(record[168:184], "little"))
    uc.mem_write(DATA, memory)
    raised = -1
    try:
        if one:
            uc.emu_start(CODE, CODE + 0x8000, count=1)
        else:
            uc.emu_start(CODE, CODE + length)
            # A #DE calls no hook; RIP is still at the instruction then.
            if uc.reg_read(x.UC_X86_REG_RIP) == CODE:
                raised = 0
    except UcError as error:
        if raised < 0:
            raised = 1000 + error.errno
    out += struct.pack(
        "<18Q",
        *[uc.reg_read(register) & MASK for register in GENERAL],
        uc.reg_read(x.UC_X86_REG_EFLAGS),
        uc.reg_read(x.UC_X86_REG_RIP) & MASK,
    )
    out += uc.reg_read(x.UC_X86_REG_XMM0).to_bytes(16, "little")
    out += uc.reg_read(x.UC_X86_REG_XMM1).to_bytes(16, "little")
    out += uc.mem_read(DATA, 128)
    out += struct.pack("<q", raised)
sys.stdout.buffer.write(out)
