"""extrawest-ocpi under Mangum, set up as its documentation says: `python -I -S -B peer.py SCENE CALLS PATH ...`.

Its storage is a class that answers at once, its tokens are a list. Measures its import, the making of the application,
the first PUT, and where CALLS is not 0 so many warm ones, without and with the callback that follows an ACCEPTED.
"""

import sys
import time

scene_file, calls, *paths = sys.argv[1:]
sys.path[:0] = paths
started = time.process_time_ns()
from mangum import Mangum  # type: ignore[import-not-found]  # noqa: E402 - in the peer's environment only
from py_ocpi import get_application  # type: ignore[import-not-found]  # noqa: E402

imported = (time.process_time_ns() - started) / 1e6

from py_ocpi.core.adapter import BaseAdapter  # type: ignore[import-not-found]  # noqa: E402
from py_ocpi.core.authentication.authenticator import Authenticator  # type: ignore[import-not-found]  # noqa: E402
from py_ocpi.core.crud import Crud  # type: ignore[import-not-found]  # noqa: E402
from py_ocpi.core.enums import Action, ModuleID, RoleEnum  # type: ignore[import-not-found]  # noqa: E402
from py_ocpi.modules.versions.enums import VersionNumber  # type: ignore[import-not-found]  # noqa: E402

TOKEN = "partner-token"


class Storage(Crud):  # type: ignore[misc]
    """Has every session and answers every profile with `result`; a callback follows an ACCEPTED only."""

    result = "REJECTED"

    @classmethod
    async def get(cls, module: object, *_: object, **__: object) -> object:
        """The session. Without a charge point's answer it sends its callback at once; with one it first waits."""
        return {"id": "session"} if module == ModuleID.sessions else None

    @classmethod
    async def do(cls, _module: object, _role: object, action: object, *_: object, **__: object) -> object:
        """What becomes of the profile, or the token for the callback."""
        return TOKEN if action == Action.get_client_token else {"result": cls.result, "timeout": 60}

    list = create = update = delete = get


class Tokens(Authenticator):  # type: ignore[misc]
    """Knows one token."""

    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        """The token of a registered partner."""
        return [TOKEN]

    get_valid_token_a = get_valid_token_c


started = time.process_time_ns()
application = get_application(
    version_numbers=[VersionNumber.v_2_2_1],
    roles=[RoleEnum.cpo],
    crud=Storage,
    modules=[ModuleID.charging_profile],
    authenticator=Tokens,
    adapter=BaseAdapter,
)
handler = Mangum(application, lifespan="off")
made = (time.process_time_ns() - started) / 1e6

sys.path.append(__file__.rpartition("/tools/")[0])
import json  # noqa: E402
import os  # noqa: E402
from pathlib import Path  # noqa: E402

import certifi  # noqa: E402

from tools.benchmarks.programs import measuring  # noqa: E402

real = measuring.silenced()
scene = json.loads(Path(scene_file).read_text(encoding="utf-8"))
# Its client can be told of one file only: the public authorities, as on any machine, and the server's own.
authorities = Path(scene_file).with_suffix(".pem")
authorities.write_bytes(Path(certifi.where()).read_bytes() + Path(scene["certificate"]).read_bytes())
os.environ["SSL_CERT_FILE"] = str(authorities)
answers: list[object] = [handler(scene["guide"], None)]
first = measuring.cpu_ms(lambda: answers.append(handler(scene["put"], None)))
peak = measuring.peak_memory_mb()
warm, callbacks = [], []
if int(calls):
    warm = measuring.samples(lambda: handler(scene["put"], None), int(calls))
    Storage.result = "ACCEPTED"
    callbacks = measuring.samples(lambda: answers.append(handler(scene["put"], None)), scene["callbacks"])

measuring.tell(
    real,
    import_ms=imported,
    make_ms=made,
    first_ms=first,
    peak_mb=peak,
    warm_ms=warm,
    callback_ms=callbacks,
    answers=answers[:3],
)
