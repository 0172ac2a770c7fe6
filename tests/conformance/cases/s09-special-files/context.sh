python3 - <<'P'
import io, tarfile
t = tarfile.open("special.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, kind, mode, uid=5, gid=6, **kw):
    i = tarfile.TarInfo(name)
    i.type, i.mode, i.uid, i.gid, i.mtime = kind, mode, uid, gid, 1600000000
    for k, v in kw.items():
        setattr(i, k, v)
    t.addfile(i, io.BytesIO(b"h\n") if kind == tarfile.REGTYPE else None)
add("one", tarfile.REGTYPE, 0o4711, size=2)
add("two", tarfile.LNKTYPE, 0o4711, linkname="one")
add("fifo", tarfile.FIFOTYPE, 0o640)
add("null", tarfile.CHRTYPE, 0o666, devmajor=1, devminor=3)
add("blk", tarfile.BLKTYPE, 0o660, devmajor=7, devminor=0)
add("dir", tarfile.DIRTYPE, 0o3775)
t.close()
P
