"""Making a set of samples: shards in order, whole or not at all, resumed where a run ended; then their datasheet."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from limbstudio.a3d import datasheet
from limbstudio.a3d.crew import make_samples
from limbstudio.a3d.groups import TONES
from limbstudio.a3d.plans import Geometry, SampleOptions
from limbstudio.a3d.quality import FindPeople
from limbstudio.a3d.records import write_coco
from limbstudio.a3d.sampling import SCHEMA_VERSION, Sample, Sources, open_sources
from limbstudio.a3d.shards import is_whole, remove_leftovers, shard_path, truths, write_shard
from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole

Report = Callable[[float, str], None]

SIZES_PX = (64, 1024)
SHARD_SIZES = (1, 10_000)
SHARD_SIZE = 500
RECORD = "a3d.json"
# Of the whole run, for the eye: the rest goes to reading the shards once more.
_MAKING_SHARE = 0.95


@dataclass(frozen=True)
class Made:
    """What a run did. made: samples; kept: those in shards that were whole already. cpu_s: per sample that was made."""

    folder: Path
    made: int
    kept: int
    shards: int
    cpu_s: float | None

    def as_plain(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder)}

    @property
    def text(self) -> str:
        kept = f" {self.kept} were there already." if self.kept else ""
        took = "" if self.cpu_s is None else f" One took {self.cpu_s:.2f} s of a core."
        shards = "1 shard" if self.shards == 1 else f"{self.shards} shards"
        where = f"{shards}, annotations.json and datasheet.md are in {self.folder}."
        return f"{self.made} samples were made.{kept}{took}\n{where}"


def make_set(
    out: Path,
    count: int,
    options: SampleOptions,
    *,
    workers: int = 1,
    shard_size: int = SHARD_SIZE,
    resume: bool = False,
    find_people: FindPeople | None = None,
    report: Report = lambda fraction, sentence: None,
) -> Made:
    """Make samples 0 to count - 1 into `out`. The files do not depend on `workers`, nor on where a run was resumed.

    find_people: a detector for the people in background photos. KnownError for options that make no sense, for folders
    and files that cannot be read or written, and for a folder that holds another set.
    """
    _check(count, options, workers, shard_size)
    record = _record(options, shard_size, find_people)
    wanted = [range(at, min(at + shard_size, count)) for at in range(0, count, shard_size)]
    _prepare(out, record, resume=resume)
    report(0.0, "Reading body, poses and backgrounds")
    sources = open_sources(options, find_people)
    missing = [
        number for number, indices in enumerate(wanted) if not is_whole(shard_path(out, number), indices)
    ]
    if not (out / RECORD).exists():
        write_whole(out / RECORD, _json(record))
    indices = [index for number in missing for index in wanted[number]]
    cpu_s = _make_shards(out, sources, missing, wanted, indices, workers, find_people, report)
    _remove_further_shards(out, len(wanted))
    report(_MAKING_SHARE, "Writing annotations and datasheet")
    _write_summary(out, len(wanted), count, record, sources)
    report(1.0, "Done")
    return Made(out, len(indices), count - len(indices), len(wanted), cpu_s)


def _check(count: int, options: SampleOptions, workers: int, shard_size: int) -> None:
    choices = ("mixed", *(g.value for g in Geometry))
    for fine, message, hint in (
        (count >= 1, f"{count} samples cannot be made.", "Ask for at least one with --count."),
        (workers >= 1, f"{workers} workers cannot work.", "Use at least one."),
        (
            SIZES_PX[0] <= options.size_px <= SIZES_PX[1],
            f"Pictures of {options.size_px} pixels cannot be made.",
            f"Choose a size from {SIZES_PX[0]} to {SIZES_PX[1]}.",
        ),
        (
            SHARD_SIZES[0] <= shard_size <= SHARD_SIZES[1],
            f"Shards of {shard_size} samples cannot be made.",
            f"Choose from {SHARD_SIZES[0]} to {SHARD_SIZES[1]}.",
        ),
        (
            options.limbs in choices,
            f"“{options.limbs}” is no geometry of limbs.",
            f"Choose among {', '.join(choices)}.",
        ),
        (0 <= options.seed < 2**63, f"{options.seed} is no seed.", "Use a whole number from 0 on."),
    ):
        if not fine:
            raise KnownError(message, hint)


def _record(options: SampleOptions, shard_size: int, find_people: FindPeople | None) -> dict[str, Any]:
    """Return what a resumed run must have in common with the one that began."""
    plain = {
        name: str(value) if isinstance(value, Path) else value for name, value in asdict(options).items()
    }
    return {
        **plain,
        "shard_size": shard_size,
        "schema_version": SCHEMA_VERSION,
        "detector": None if find_people is None else str(getattr(find_people, "name", "yes")),
    }


def _prepare(out: Path, record: dict[str, Any], *, resume: bool) -> None:
    """Make the folder, or see that what is in it was made with the same options."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        there = sorted(path.name for path in out.glob("a3d-*.tar"))
    except OSError as error:
        raise KnownError(
            f"The folder {out} cannot be made: {error.strerror}.", "Choose another one with --out."
        ) from error
    known = out / RECORD
    if not there:
        known.unlink(missing_ok=True)  # of a run that ended before its first shard
    if not resume:
        if there:
            raise KnownError(
                f"There are samples in {out} already.", "Add --resume to go on, or choose another folder."
            )
    elif known.exists():
        try:
            before = json.loads(known.read_bytes())
        except (OSError, ValueError) as error:
            raise KnownError(f"{known} cannot be read.", "Choose another folder.") from error
        other = sorted(name for name in record if before.get(name) != record[name])
        if other:
            raise KnownError(
                f"The samples in {out} were begun with other options: {', '.join(other)}.",
                "Use the same options to resume, or another folder.",
            )
    elif there:
        raise KnownError(
            f"{out} holds shards, but no {RECORD} says how they were made.", "Choose another folder."
        )
    remove_leftovers(out)


def _make_shards(
    out: Path,
    sources: Sources,
    missing: Sequence[int],
    wanted: Sequence[range],
    indices: Sequence[int],
    workers: int,
    find_people: FindPeople | None,
    report: Report,
) -> float | None:
    """Make the missing shards, each written as soon as its last sample is there; return the mean time of a sample."""
    ready: dict[int, Sample] = {}
    open_shards = list(missing)
    spent = 0.0
    made = make_samples(sources, indices, workers=workers, find_people=find_people)
    try:
        for done, (index, sample) in enumerate(made, 1):
            ready[index] = sample
            spent += sample.cpu_s
            report(_MAKING_SHARE * done / len(indices), f"Making samples ({done} of {len(indices)})")
            for number in [
                n for n in open_shards if index in wanted[n] and all(i in ready for i in wanted[n])
            ]:
                write_shard(shard_path(out, number), [ready.pop(i) for i in wanted[number]])
                open_shards.remove(number)
    finally:
        made.close()  # type: ignore[attr-defined]
    return spent / len(indices) if indices else None


def _remove_further_shards(out: Path, shards: int) -> None:
    """Remove shards that a resumed run with a smaller count has no use for."""
    for path in out.glob("a3d-*.tar"):
        number = path.stem.removeprefix("a3d-")
        if number.isdigit() and int(number) >= shards:
            path.unlink()


def _write_summary(out: Path, shards: int, count: int, record: dict[str, Any], sources: Sources) -> None:
    counts = datasheet.count(truths(out, shards), count)
    write_coco(out / "annotations.json", truths(out, shards))
    write_whole(out / "contact_sheet.jpg", datasheet.sheet(counts.tiles))
    write_whole(out / "contact_sheet_masks.jpg", datasheet.sheet(counts.overlaid))
    shown = {
        name: value
        for name, value in record.items()
        if name not in ("body", "backgrounds", "textures", "poses")
    }
    text = datasheet.datasheet(counts, shown, backgrounds=_backgrounds(sources), textures=_textures(sources))
    write_whole(out / "datasheet.md", text.encode())


def _backgrounds(sources: Sources) -> str:
    found = sources.backgrounds
    if found is None:
        return "procedural"
    text = f"{len(found.files)} photos of the folder {found.folder.name}"
    if found.unreadable:
        text += f" ({len(found.unreadable)} more could not be read)"
    text += (
        f"; people in {len(found.people)} of them were taken out by inpainting, as a COCO file marks them"
        if found.has_list
        else "; no COCO file says where people are"
    )
    if found.find_people is None:
        return f"{text}. No detector was there: that no person is left in them was not checked."
    return f"{text}. A detector found no keypoints of a person in those that were used after removal."


def _textures(sources: Sources) -> str:
    names, skins = sources.textures.names, sources.textures.skins.counts
    if not skins:
        return f"procedural, and {len(names)} pictures of a folder" if names else "procedural"
    cloth = f"{len(names)} pictures of cloth and " if names else ""
    groups = ", ".join(f"{group}: {count}" for group, count in skins.items())
    kept = "" if len(skins) == len(TONES) else " The other groups keep the procedural skin."
    return (
        f"procedural, and {cloth}{sum(skins.values())} pictures of skin of a folder ({groups}). Everybody of these "
        f"groups has the skin of one of its pictures; `skin` of the truth names it.{kept}"
    )


def _json(plain: dict[str, Any]) -> bytes:
    return (json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
