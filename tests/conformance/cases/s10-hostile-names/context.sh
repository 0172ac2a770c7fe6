python3 - <<'P'
import io, tarfile
t = tarfile.open("t.tar", "w", format=tarfile.PAX_FORMAT)
i = tarfile.TarInfo("../../escaped"); i.size = 1
t.addfile(i, io.BytesIO(b"x"))
t.close()
P
