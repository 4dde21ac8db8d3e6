"""Reads STORAGE_URL, the bucket that keeps files, and checks it as far as that is possible without the server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from urllib.parse import parse_qs, unquote, urlsplit

from webapp.setting_values import HOST_NAME, WrongValue

SCHEMES = {"s3": "https", "s3+http": "http"}
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
REGION = re.compile(r"[a-z0-9-]+")
OPTIONS = {"region", "direct"}
USUAL_REGION = "us-east-1"


@dataclass(frozen=True)
class BucketAddress:
    """A bucket of a server that speaks S3. The names of all files begin with `prefix`, which is "" or ends with "/".

    Without `key` and `secret` the credentials are those that the AWS tools would find. With `direct`, browsers get
    pictures and exports from the bucket itself.
    """

    endpoint: str  # Such as https://s3.example.org:9000
    bucket: str
    prefix: str = ""
    region: str = USUAL_REGION
    key: str = ""
    secret: str = field(default="", repr=False)
    direct: bool = False

    @property
    def digest(self) -> str:
        """A name for the place where the files are. It does not depend on the credentials `key` and `secret`."""
        return sha256(f"{self.endpoint}/{self.bucket}/{self.prefix}".encode()).hexdigest()[:16]


def bucket_address(url: str) -> BucketAddress | None:
    """Read the address of a bucket. None for "", which keeps files in the data folder.

    Raises WrongValue for an address that cannot work. The message never shows the secret.
    """
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise WrongValue(f"it must begin with {' or '.join(f'{scheme}://' for scheme in SCHEMES)}")
    bucket, _, prefix = parts.path.strip("/").partition("/")
    if not parts.hostname or not re.fullmatch(HOST_NAME, parts.hostname):
        raise WrongValue("it names no host")
    if not BUCKET.fullmatch(bucket):
        raise WrongValue("it names no bucket, as in s3://KEY:SECRET@s3.example.org/my-bucket")
    if prefix and (not PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        raise WrongValue("what follows its bucket must be letters, digits, dots, dashes and slashes")
    if bool(parts.username) != bool(parts.password):
        raise WrongValue("it needs both a key and a secret, or neither")
    if find_spec("boto3") is None:
        raise WrongValue('A bucket needs further packages: pip install "maskwright[s3]"')
    region, direct = _options(parts.query)
    port = "" if parts.port is None else f":{parts.port}"  # A port that is no number raises ValueError.
    return BucketAddress(
        f"{SCHEMES[parts.scheme]}://{parts.hostname}{port}",
        bucket,
        f"{prefix}/" if prefix else "",
        key=unquote(parts.username or ""),
        secret=unquote(parts.password or ""),
        region=region,
        direct=direct,
    )


def _options(query: str) -> tuple[str, bool]:
    """Return the region, and whether browsers get files from the bucket itself."""
    given = {name: texts[-1] for name, texts in parse_qs(query, keep_blank_values=True).items()}
    if unknown := sorted(set(given) - OPTIONS):
        raise WrongValue(f"there is no option {unknown[0]!r}")
    region, direct = given.get("region", USUAL_REGION), given.get("direct", "0")
    if not REGION.fullmatch(region):
        raise WrongValue("its region is no name such as eu-central-1")
    if direct not in ("0", "1"):
        raise WrongValue("its option `direct` must be 0 or 1")
    return region, direct == "1"
