"""Facts of a network, of its layers and units: what pages are made of, as it is kept on disk.

Types are narrower than pages need, since names become files, addresses and markup, and since kept
facts may come from anybody (a bundle). Imports no torch.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from cnnviz.figure.kept import Count, Name, Passport, PictureFile, Pixels

NameOrNone = Annotated[str, Meta(pattern=r"\A(?:\w[\w.-]{0,99})?\Z")]
Title = Annotated[str, Meta(pattern=r"\A\w[\w .+-]{0,99}\Z")]
ClassName = Annotated[
    str, Meta(pattern=r"\A[^\x00-\x1f<>&\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,200}\Z")
]
Address = Annotated[str, Meta(pattern=r"\A\w+/\w[\w.-]*\Z", max_length=300)]
Extent = Annotated[str, Meta(pattern=r"(?a)\A(?:\d{1,7}(?:×\d{1,7})*)?\Z")]
Numbers = Annotated[str, Meta(pattern=r"\A[-0-9.e+ \n]*\Z")]
Word = Annotated[str, Meta(pattern=r"\A\w*\Z")]


class Known(Struct, frozen=True):
    """A part of the facts. What it does not name is ignored: nothing reads it."""


# --- Layers -------------------------------------------------------------------------------------


class LayerFacts(Known, frozen=True, kw_only=True):
    """One layer.

    Attributes:
        kind: a name of cnnviz.inside.kinds.KINDS.
        code: the module as Python writes it; "" for an operation.
        builtin: is it one of torch.nn?
        recorded_as: under which name `cnnviz.record` gives its output, if not its own.
        function: class of the module, or name of the operation.
        before, after: shapes of what goes in and comes out, such as "6×14×14".
        spatial: does each unit put out several numbers, such as a map?
        groups, depthwise: of a convolution: how its channels are parted; whether each kernel sees
            one channel of several.
        scores: are its units the classes? `answer`: the layer that has their final scores.
        rectifies: does it put zero in place of what is negative?
        same_as: the layer before it that uses the same weights, or "".
        parameters: how many numbers are learned in it; `sum` says how they come about.
        terms: products that are added up for one value.
        field: height and width of a unit's receptive field, "" without maps or where it is unknown.
        zeros, positive: shares of the numbers that it put out for the counted images.
        dead: units that never were above zero; `dead_strength` compares their largest weights with
            those of the others.
        low, high: the smallest and the largest number that it put out.
        form: how its weights are drawn, "" if it has none.
        window, stride: of a pooling layer, "" if it has no such cells; `rate`: of dropout.
        maps: shape (C, H, W) of what was flattened into its input, or empty.
        vectors: of normalisation: scale, shift, mean, variance → lowest, mean, highest.
        shown: section of its page → address of the figure.
        notes: section that is missing → why, a key under `missing:` in the words files.
        owner: the layer with weights whose units it shows, or "".
        compared: names of the two layers in its figure of activations, "" where there is none;
            `between`: layers between the two that change values; `activated`: the activation
            function that is the second, or ""; `rectified`: is that a ReLU that sees the values of
            this layer as they are?
        fed_by: the layers whose outputs go into it; `image`: the image does, too, or alone.
        followed: kinds of what alone takes its output, and of what alone takes that.
        silent: does it change no value in testing?
        padded: does the unit in the corner see beyond the image?
        trained_units, gradient_units, drawn_units: units whose weights these figures draw.
    """

    name: Name
    kind: Word
    code: Annotated[str, Meta(max_length=500)]
    builtin: bool = True
    recorded_as: Annotated[str, Meta(pattern=r"\A(?:\w[\w.\[\]-]{0,120})?\Z")] = ""
    function: Word = ""
    before: Extent
    after: Extent
    spatial: bool
    units: Count
    groups: int = 1
    depthwise: bool = False
    scores: bool = False
    answer: NameOrNone = ""
    rectifies: bool = False
    same_as: NameOrNone = ""
    parameters: int
    bias: bool
    terms: int
    sum: str
    field: Extent
    zeros: float
    dead: int
    dead_strength: float
    positive: float
    low: float
    high: float
    form: Word
    window: Extent
    stride: Extent = ""
    rate: float
    maps: list[int]
    vectors: dict[Word, tuple[float, float, float]] = {}
    shown: dict[Word, Address]
    notes: dict[Word, Word] = {}
    owner: NameOrNone
    compared: tuple[NameOrNone, NameOrNone]
    between: list[Name] = []
    activated: Word = ""
    rectified: bool = False
    fed_by: list[Name] = []
    image: bool = False
    followed: list[Word] = []
    silent: bool = False
    padded: bool
    trained_units: int
    gradient_units: int
    drawn_units: int = 0


class AtlasFacts(Known, frozen=True, kw_only=True):
    """All networks of an atlas.

    Attributes:
        titles: network → what it is called.
        nets: network → its layers, in order of execution.
        misread: network → how many of the shown inputs it misreads.
        unlabelled: network → does it answer with scores? For networks without known true classes.
        steps: network → training steps at which its weights were kept.
        images: over how many was counted.
        examples, inputs: how many inputs were chosen as typical; how many are shown.
    """

    titles: dict[Name, Title]
    nets: dict[Name, Annotated[list[LayerFacts], Meta(min_length=1)]]
    misread: dict[Name, int]
    unlabelled: dict[Name, bool] = {}
    steps: dict[Name, list[int]]
    images: int
    examples: int
    inputs: int

    def __post_init__(self) -> None:
        layers = [layer for net in self.nets.values() for layer in net]
        if len(layers) > 1000 or sum(layer.units for layer in layers) > 3_000_000:
            raise ValueError("expected 1000 layers and 3,000,000 units at most")


# --- Units --------------------------------------------------------------------------------------


class Drawn(Known, frozen=True):
    """A picture."""

    file: PictureFile
    width: Pixels
    height: Pixels


class DrawnInputs(Drawn, frozen=True):
    """The shown inputs, `count` of them side by side, with classes and answers where known."""

    labels: list[int] = []
    answers: list[int] = []
    count: int = 0


class DrawnMaps(Drawn, frozen=True):
    """Maps of a unit on one scale from −`limit` to `limit`."""

    limit: float


class Shape(Known, frozen=True):
    """What a slice of a kernel looks like: see cnnviz.inside.kernel_shape."""

    kind: Word
    angle: float
    positive: bool


class DrawnWeights(Drawn, frozen=True):
    """The weights of a unit, on one scale from −`limit` to `limit`.

    Attributes:
        tiles: slices or maps into which they are laid out.
        numbers: a block of lines for each; none where they are too many, `count` of them.
        shapes: what each looks like, for kernels that are large enough.
    """

    tiles: int
    limit: float
    bias: float | None
    numbers: list[Numbers]
    shapes: list[Shape]
    count: int = 0


class Place(Known, frozen=True, array_like=True):
    """Where a unit answered so: number of the image, its class or −1, row and column of the map."""

    image: int
    label: int
    row: int
    column: int
    value: float


class UnitFacts(Known, frozen=True, kw_only=True):
    """One unit: a channel of a convolution, or one output of a fully connected layer.

    Attributes:
        active: share of the counted images on which it is above zero.
        patches: what excites it most and least, and what was optimised for it, in one sheet.
        most, least: where the patches were found; `optimum`: values reached by optimising, none
            where nothing was; `moved`: did it ever tell how to change the image?
        means: its mean for each class; `accuracy`, `loss`: what each class loses without it. None
            where there are no classes.
        tuning: for each wavelength its answers to stripes of each direction, if it has any.
        answers: its value, or its largest, for each of the shown inputs; `maps` its maps, if any.
    """

    active: float
    weights: DrawnWeights
    patches: Drawn
    most: Annotated[list[Place], Meta(min_length=1)]
    least: Annotated[list[Place], Meta(min_length=1)]
    optimum: list[float]
    moved: bool = True
    means: list[float]
    accuracy: list[float]
    loss: list[float]
    tuning: list[list[float]]
    low: float
    high: float
    answers: list[float]
    maps: DrawnMaps | UnsetType = UNSET


class Link(Known, frozen=True, array_like=True):
    """A unit that another is joined to, the weight, and the mean contribution."""

    unit: int
    weight: float
    contribution: float


class UnitLayerFacts(Known, frozen=True, kw_only=True):
    """All units of a layer.

    Attributes:
        shape: of what it puts out; `field`: height and width of the receptive field of a unit.
        side, height: width and height of the network's input; 0: as high as wide.
        relu: the ReLU that sees its values as they are, or "".
        activation, function: its activation function, or "", and what that is called; `between`:
            what changes its values before that; `rectified`: does that make zero of negative ones?
        scores: are its units the classes?
        image: do its kernels see the one channel of the input image?
        before, after: layers whose units it is joined to, or ""; `incoming` and `outgoing` the
            strongest of them for each unit.
    """

    kind: Word
    shape: list[int]
    relu: NameOrNone
    field: tuple[int, int]
    side: int
    height: int = 0
    activation: NameOrNone = ""
    function: Word = ""
    between: list[Name] = []
    rectified: bool = True
    scores: bool = False
    image: bool = True
    units: Annotated[list[UnitFacts], Meta(min_length=1)]
    before: NameOrNone
    after: NameOrNone
    incoming: list[list[Link]]
    outgoing: list[list[Link]]


class NetUnits(Known, frozen=True, kw_only=True):
    """The units of a network.

    Attributes:
        layers: those with weights.
        tested, all: images over which was counted; in which patches were looked for.
        wavelengths: of the stripes, in pixels.
        passport: seed and digest of the weights.
        colour: are images shown in colour? `channels`: how many they have.
    """

    title: Title
    layers: dict[Name, UnitLayerFacts]
    classes: Annotated[list[ClassName], Meta(max_length=30_000)]
    tested: int
    all: int
    wavelengths: list[float]
    inputs: DrawnInputs
    passport: Passport
    colour: bool = False
    channels: int = 1
