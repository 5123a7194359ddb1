"""Keep: files in the media library, by a name of their own, until nothing uses them."""

from engine import media_address, names
from engine.ids import BlobId, MediaId
from engine.media_file import FileType, check_size, file_type
from engine.media_ports import Library, LibraryFile
from engine.names import Ambiguous, InvalidName, NoMatch, One
from engine.refusal import Refusal


class NameTaken(Refusal):
    """Another file has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a file {name!r} already: write another name, or remove that one first with"
            f" /drip media remove {name}."
        )


class NoSuchFile(Refusal):
    """No file of the library is called so, or several are."""


class InUse(Refusal):
    """Something still sends the file."""


async def add_from_address(*, name: str, url: str, library: Library) -> MediaId:
    """Let the worker fetch a file; return what will be its id.

    Raises:
        NotFetched: Nothing is fetched from such an address.
        NameTaken, NoSuchFile: It cannot be called so.
    """
    address = media_address.checked(url)
    filename = address.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2][-200:]
    added = await library.add(
        name=await _free_name(name, library),
        filename=filename or name,
        url=address,
        found=None,
        size=None,
        blob=None,
    )
    if added is None:
        raise NameTaken(name)
    return added


async def add_uploaded(
    *,
    name: str,
    filename: str,
    declared: str,
    head: bytes,
    size: int,
    blob: BlobId,
    library: Library,
) -> FileType:
    """Add a file whose bytes are here; return what it is.

    Raises:
        NotTaken: WhatsApp takes no such file.
        NameTaken, NoSuchFile: It cannot be called so.
    """
    found = file_type(head=head, declared=declared, filename=filename)
    check_size(found, size, filename=filename)
    added = await library.add(
        name=await _free_name(name, library),
        filename=filename,
        url=None,
        found=found,
        size=size,
        blob=blob,
    )
    if added is None:
        raise NameTaken(name)
    return found


async def remove_media(*, name: str, library: Library) -> LibraryFile:
    """Remove a file that nothing uses; return what it was.

    Raises:
        NoSuchFile: There is none.
        InUse: Something still sends it.
    """
    file = await file_named(name=name, library=library)
    await library.lock(file)  # and so wait for who is just putting it into a step
    users = await library.users(file.name)
    if users:
        more = f" and {len(users) - _SHOWN} more" if len(users) > _SHOWN else ""
        raise InUse(
            f"{file.name!r} is used by {', '.join(users[:_SHOWN])}{more}, so it stays. Archive them"
            " or give them another file first."
        )
    await library.remove(file)
    return file


_SHOWN = 5


async def file_named(*, name: str, library: Library) -> LibraryFile:
    """Return the file of a name or of a unique beginning of it.

    Raises:
        NoSuchFile: There is none, or several.
    """
    found = await library.file(name)
    if found is not None:
        return found
    match names.match_name(name, await library.names()):
        case One(name=meant):
            found = await library.file(meant)
            if found is not None:
                return found
            raise NoSuchFile(f"The file {meant!r} was removed a moment ago.")
        case Ambiguous(names=several):
            raise NoSuchFile(f"{name!r} may be {', '.join(several[:8])}: write more of it.")
        case NoMatch(closest=closest):
            hint = f"Did you mean {closest}?" if closest else "/drip media list shows them."
            raise NoSuchFile(f"There is no file {name!r}. {hint}")


async def _free_name(text: str, library: Library) -> str:
    name = _name(text)
    if names.is_among(name, await library.names()):
        raise NameTaken(name)
    return name


def _name(text: str) -> str:
    try:
        name = names.campaign(text)
    except InvalidName as error:
        raise NoSuchFile(str(error)) from error
    if name.lower().startswith(("http:", "https:")) or name.isdigit():
        raise NoSuchFile(f"A file's name is a word or two, such as menu, not {name!r}.")
    return name
