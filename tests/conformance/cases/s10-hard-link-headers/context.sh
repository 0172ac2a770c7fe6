python3 - <<'P'
import io
import tarfile


def add(tar, name, link=None, kind=tarfile.LNKTYPE, mode=0o644, own=(0, 0), mtime=1500000000):
    m = tarfile.TarInfo(name)
    m.mode, m.uid, m.gid, m.mtime = mode, *own, mtime
    data = b"" if link else name.encode()
    if link:
        m.type, m.linkname = kind, link
    m.size = len(data)
    tar.addfile(m, io.BytesIO(data))


with tarfile.open("a.tar", "w", format=tarfile.PAX_FORMAT) as t:
    add(t, "f", own=(1, 2))
    add(t, "g", "f", mode=0o600, own=(5, 6), mtime=1510000000)
    add(t, "h", mode=0o4755, own=(1, 2))
    add(t, "i", "h", own=(1, 2), mtime=1520000000)
    add(t, "j", "h", mode=0o700, mtime=1490000000)
    add(t, "l", "f", tarfile.SYMTYPE, own=(3, 3))
    add(t, "x")
    add(t, "y", "x", mode=0o6755, own=(7, 7))
    add(t, "twice")
    add(t, "other", "twice", mode=0o600, own=(8, 8))
    add(t, "twice", own=(9, 9))
P
