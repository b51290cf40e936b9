"""``augkit paint``: SinGAN, trained on one photo."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb
from augkit.core.errors import ConfigError
from augkit.core.launcher import is_main_process

if TYPE_CHECKING:
    from augkit.core.parts import PartSchema
    from augkit.models.extractors import Extractor
    from augkit.stages.singan.painting import Painting, StartScaleTrial
    from augkit.stages.singan.pyramid import TrainedPyramid

paint = typer.Typer(no_args_is_help=True)
app.add_typer(paint, name="paint", help="Learn one photo (SinGAN): draw variations of it, and paint masks as it.")

ModelOption = Annotated[
    str | None, typer.Option("--model", help="Which trained photo; may be left out where there is one.")
]
CountOption = Annotated[int, typer.Option("--count", min=1, help="How many pictures.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Another seed gives other pictures.")]


@paint.command("train", cls=Verb)
def train(
    photo: Annotated[str, typer.Argument(metavar="PHOTO|PAIR", help="A photo's file, or the id of a pair.")],
    *,
    mask: Annotated[
        Path | None, typer.Option("--mask", help="The photo's part mask: ids in grey, or the colours of parts.json.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a pyramid of networks on one photo. The same command goes on with what was interrupted."""
    from augkit.cli._progress import Bars
    from augkit.stages.projection.strip import write_strip
    from augkit.stages.singan.pyramid import fidelity, load_painter, train_pyramid
    from augkit.stages.singan.training_photo import read_subject

    session = open_session(workspace, as_json, config, overrides)
    subject = read_subject(session.workspace, photo, mask)
    with Bars() as bars:
        folder = train_pyramid(session.workspace, subject, session.settings, fresh=fresh, progress=bars)
    if not is_main_process():
        return
    trained = load_painter(session.workspace, subject.name)
    sheet = _place(session, trained) / "rebuilt.png"
    write_strip(sheet, [trained.shown(), trained.rebuild()], ["photo", "from the fixed noise"])
    psnr, sizes = fidelity(trained), [f"{width} x {height}" for height, width in trained.pyramid.sizes]
    result = {
        "model": subject.name, "folder": str(folder), "scales": sizes, "psnr": round(psnr, 2),
        "mask": subject.pair is not None, "sheet": str(sheet),
    }  # fmt: skip
    note = "" if subject.pair else "\nwithout a mask: it can be sampled, but masks cannot be painted as it"
    session.emit(result, f"{folder}: {len(sizes)} scales, {sizes[0]} to {sizes[-1]} px\n"
                 f"the photo from the fixed noise: {psnr:.1f} dB, {sheet}{note}")  # fmt: skip


@paint.command("sample", cls=Verb)
def sample(
    *,
    model: ModelOption = None,
    count: CountOption = 4,
    seed: SeedOption = 0,
    first: Annotated[
        int, typer.Option("--from-scale", min=0, help="Coarser scales stay as in the photo; 0 changes all.")
    ] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw variations of the photo. They have no mask."""
    from augkit.core.seeds import derive
    from augkit.stages.projection.strip import write_strip
    from augkit.stages.singan.pyramid import load_painter
    from augkit.train.image_grid import write_picture

    session = open_session(workspace, as_json)
    trained = load_painter(session.workspace, model)
    made = [trained.sample(derive(seed, "sample", number), first) for number in range(count)]
    place = _place(session, trained)
    files = [place / f"sample-{first}-{seed}-{number:03d}.png" for number in range(count)]
    for file, picture in zip(files, made, strict=True):
        write_picture(file, picture)
    sheet = place / f"samples-{first}-{seed}.png"
    write_strip(sheet, [trained.shown(), *made], ["photo", *map(str, range(count))])
    result = {"model": trained.name, "from_scale": first, "pictures": list(map(str, files)), "sheet": str(sheet)}
    session.emit(result, f"{count} pictures, side by side in {sheet}")


@paint.command("from", cls=Verb)
def paint_from(
    mask: Annotated[
        str,
        typer.Argument(metavar="MASK|PAIR|PHOTO", help="A drawn mask, a pair's id, or a photo (JPEG, WebP)."),
    ],
    *,
    model: ModelOption = None,
    start: Annotated[
        int | None, typer.Option("--start", help="Scale from which the painting is made a photo; by default by M.")
    ] = None,
    count: CountOption = 1,
    seed: SeedOption = 0,
    shards: Annotated[bool, typer.Option("--shards", help="Write the pairs into WORKSPACE/painted as shards.")] = False,
    extractor: Annotated[str, typer.Option("--extractor", help="Network of SIFID: lite0, or inception.")] = "lite0",
    weights: Annotated[Path | None, typer.Option("--weights", help="The extractor's weights (inception).")] = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Paint a mask as the photo: its part colours, its texture. Warns where the poses differ.

    The teacher reads the mask of another photo first (`augkit train teacher`).
    """
    from augkit.core.parts import PartSchema
    from augkit.models.extractors import EXTRACTORS
    from augkit.report.tables.start_table import start_tables
    from augkit.stages.singan.painting import best, painting_seed, read_painting, try_starts
    from augkit.stages.singan.pyramid import load_painter
    from augkit.stages.teacher_model import load_teacher

    session = open_session(workspace, as_json, config, overrides)
    trained = load_painter(session.workspace, model)
    schema = PartSchema.load(session.workspace.schema)
    painting = read_painting(
        session.workspace, trained, schema, mask, partial(load_teacher, session.workspace, session.settings)
    )
    network = EXTRACTORS[extractor](weights=weights)
    starts = [start] if start is not None else list(range(1, len(trained.pyramid)))
    if not starts:
        raise ConfigError("a pyramid of one scale, which nothing can be painted into", "two or more",
                          "train with a smaller paint.coarsest")  # fmt: skip
    trials = try_starts(trained, painting, starts, painting_seed(seed, trained, painting, 0), network)
    chosen = best(trials)
    files = _write(session, trained, painting, trials, chosen, count, seed)
    if shards:
        files |= _shards(session, trained, painting, schema, chosen.start, count, seed)
    result = _result(trained, painting, trials, chosen, network) | files
    session.emit(result, start_tables(result))


def _write(  # noqa: PLR0917  # what was made, and of what
    session: Session,
    trained: TrainedPyramid,
    painting: Painting,
    trials: list[StartScaleTrial],
    chosen: StartScaleTrial,
    count: int,
    seed: int,
) -> dict[str, Any]:
    """The pictures of the chosen scale, their mask, and a strip of all scales."""
    from augkit.stages.projection.strip import write_strip
    from augkit.stages.singan.painting import paint as made_of
    from augkit.stages.singan.painting import painting_seed
    from augkit.train.image_grid import write_picture

    place, stem = _place(session, trained), f"{painting.name}-{seed}"
    files = [place / f"{stem}-{number:03d}.png" for number in range(count)]
    for number, file in enumerate(files):
        write_picture(file, made_of(trained, painting, chosen.start, painting_seed(seed, trained, painting, number)))
    write_picture(place / f"{painting.name}.mask.png", painting.pair.mask)
    titles = ["photo", "painting", *(f"start {t.start}: M {t.combined:.2f}" for t in trials)]
    strip = place / f"{stem}-starts.png"
    write_strip(strip, [trained.shown(), painting.pair.photo, *(t.picture for t in trials)], titles,
                2 + trials.index(chosen))  # fmt: skip
    return {"pictures": list(map(str, files)), "mask": str(place / f"{painting.name}.mask.png"), "sheet": str(strip)}


def _shards(  # noqa: PLR0917  # a request's parts
    session: Session, trained: TrainedPyramid, painting: Painting, schema: PartSchema, start: int, count: int, seed: int
) -> dict[str, Any]:
    from augkit.stages.singan.painted_pairs import PaintRequest, write_pairs

    codec = session.settings.balance
    request = PaintRequest(trained, painting, start, count, seed, codec.quality, codec.lossless)
    folder, name = write_pairs(session.workspace, request, schema)
    return {"shards": str(folder), "shard": name}


def _result(
    trained: TrainedPyramid,
    painting: Painting,
    trials: list[StartScaleTrial],
    chosen: StartScaleTrial,
    network: Extractor,
) -> dict[str, Any]:
    return {
        "model": trained.name, "painting": painting.word, "extractor": network.name, "layer": network.map_layer,
        "pose_differences": painting.differences, "start": chosen.start,
        "starts": [
            {"start": t.start, "to_painting": t.to_painting, "to_photo": t.to_photo, "M": t.combined} for t in trials
        ],
    }  # fmt: skip


def _place(session: Session, trained: TrainedPyramid) -> Path:
    """Where a pyramid's pictures go."""
    return session.workspace.reports / "paint" / trained.name
