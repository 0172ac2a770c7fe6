python3 - <<'P'
import io, tarfile
t = tarfile.open("t.tar", "w", format=tarfile.PAX_FORMAT)
i = tarfile.TarInfo("/abs"); i.size = 1
t.addfile(i, io.BytesIO(b"a"))
l = tarfile.TarInfo("up"); l.type = tarfile.SYMTYPE; l.linkname = "/"
t.addfile(l)
t.close()
P
