"""Who somebody is: the parameters that stay the same whatever the face does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """The head; lengths in face units (half an average face's width) or factors near 1."""

    width: float  # at the cheekbones
    jaw: float  # width of the jaw's angle
    chin: float  # width of the chin
    length: float  # from the pupils to the chin
    fullness: float  # of the cheeks, -1 gaunt to 1 round


@dataclass(frozen=True, slots=True)
class Features:
    """Eyes, brows, nose and mouth, in face units or factors near 1."""

    eye_size: float
    eye_spacing: float
    eye_tilt: float  # rise of the outer corner
    eye_opening: float
    epicanthus: float
    crease: float
    brow_weight: float
    brow_arch: float
    brow_height: float
    nose_width: float
    nose_length: float
    nose_bridge: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    uneven: tuple[float, float, float]  # small differences between the sides: brow, eye, mouth


@dataclass(frozen=True, slots=True)
class Colours:
    """Display colours, red green blue in 0..1."""

    skin: Rgb
    lips: Rgb
    hair: Rgb
    iris: Rgb
    cloth: Rgb
    backdrop: Rgb


@dataclass(frozen=True, slots=True)
class Looks:
    """What a person wears and how the skin has lived; strengths in 0..1."""

    hair_style: str
    grey: float  # share of white hairs
    beard: str  # none, stubble, full or moustache
    glasses: bool
    clothes: str  # crew, vee, shirt or roll
    makeup: float
    flush: float  # redness of cheeks, nose and ears
    freckles: float


@dataclass(frozen=True, slots=True)
class Identity:
    """One person; `seed` decides the skin's texture and the place of every hair."""

    seed: int
    gender: str  # female or male
    age: int  # years
    ethnicity: str
    shape: Shape
    features: Features
    colours: Colours
    looks: Looks

    @property
    def age_group(self) -> str:
        """Young (under 35), middle (under 60) or old."""
        return _age_group(self.age)

    @property
    def wear(self) -> float:
        """How much age has drawn into the skin, 0 at 25 years to 1 at 75."""
        return float(np.clip((self.age - 25) / 50, 0, 1))


@dataclass(frozen=True, slots=True)
class _Origin:
    skin: tuple[Rgb, Rgb]
    hair: tuple[Rgb, ...]
    iris: tuple[Rgb, ...]
    epicanthus: float = 0.0
    crease: tuple[float, float] = (0.7, 1.0)
    nose_width: float = 1.0
    nose_bridge: float = 1.0
    lips: float = 1.0
    flush: float = 0.5
    freckles: float = 0.0


_BLACK: Rgb = (0.085, 0.070, 0.068)
_SOOT: Rgb = (0.13, 0.10, 0.085)
_BROWN: Rgb = (0.27, 0.175, 0.115)
_CHESTNUT: Rgb = (0.38, 0.22, 0.13)
_BLOND: Rgb = (0.60, 0.47, 0.32)
_GINGER: Rgb = (0.56, 0.27, 0.12)
_DARK_EYE: Rgb = (0.22, 0.13, 0.08)
_HAZEL: Rgb = (0.40, 0.30, 0.14)
_BLUE: Rgb = (0.32, 0.47, 0.60)
_GREEN: Rgb = (0.36, 0.45, 0.30)

_ORIGINS: Mapping[str, _Origin] = MappingProxyType(
    {
        "european": _Origin(
            ((0.93, 0.76, 0.68), (0.89, 0.70, 0.60)),
            (_BROWN, _CHESTNUT, _BLOND, _GINGER),
            (_BLUE, _GREEN, _HAZEL),
            nose_width=0.92,
            nose_bridge=1.12,
            lips=0.86,
            flush=0.8,
            freckles=0.5,
        ),
        "east_asian": _Origin(
            ((0.93, 0.77, 0.66), (0.87, 0.69, 0.56)),
            (_BLACK, _SOOT),
            (_DARK_EYE,),
            epicanthus=0.9,
            crease=(0.15, 0.6),
            nose_bridge=0.80,
            lips=0.95,
            flush=0.45,
        ),
        "african": _Origin(
            ((0.52, 0.345, 0.255), (0.37, 0.235, 0.175)),
            (_BLACK,),
            (_DARK_EYE,),
            nose_width=1.24,
            nose_bridge=0.82,
            lips=1.32,
            flush=0.3,
        ),
        "south_asian": _Origin(
            ((0.74, 0.54, 0.41), (0.58, 0.40, 0.29)),
            (_BLACK, _SOOT),
            (_DARK_EYE,),
            nose_bridge=1.05,
            lips=1.05,
            flush=0.35,
        ),
        "latin_american": _Origin(
            ((0.84, 0.64, 0.51), (0.73, 0.53, 0.40)),
            (_SOOT, _BROWN),
            (_DARK_EYE, _HAZEL),
            epicanthus=0.2,
            nose_width=1.06,
            lips=1.10,
            flush=0.45,
        ),
        "middle_eastern": _Origin(
            ((0.87, 0.68, 0.55), (0.79, 0.60, 0.47)),
            (_BLACK, _SOOT, _BROWN),
            (_DARK_EYE, _HAZEL, _GREEN),
            nose_bridge=1.22,
            lips=1.0,
            flush=0.5,
        ),
    }
)

ETHNICITIES = tuple(_ORIGINS)
_CLOTHS: tuple[Rgb, ...] = (
    (0.20, 0.27, 0.38),
    (0.42, 0.21, 0.22),
    (0.23, 0.33, 0.30),
    (0.62, 0.56, 0.47),
    (0.30, 0.29, 0.33),
    (0.50, 0.40, 0.24),
    (0.37, 0.44, 0.52),
    (0.80, 0.77, 0.72),
)
_BACKDROPS: tuple[Rgb, ...] = (
    (0.68, 0.73, 0.71),
    (0.78, 0.73, 0.66),
    (0.64, 0.71, 0.77),
    (0.77, 0.71, 0.69),
    (0.71, 0.70, 0.75),
    (0.72, 0.74, 0.67),
)
_STYLES: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("female", "young"): ("long", "bob", "bun", "curly"),
        ("female", "middle"): ("bob", "long", "bun", "waves"),
        ("female", "old"): ("waves", "bun", "bob"),
        ("male", "young"): ("short", "quiff", "crop"),
        ("male", "middle"): ("short", "crop", "receding"),
        ("male", "old"): ("receding", "bald", "short"),
    }
)


def draw(
    rng: np.random.Generator,
    *,
    gender: str | None = None,
    age: int | None = None,
    ethnicity: str | None = None,
    hair_style: str | None = None,
    beard: str | None = None,
    glasses: bool | None = None,
) -> Identity:
    """A person at random; what is given is kept."""
    gender = gender or str(rng.choice(["female", "male"]))
    age = age or int(rng.integers(20, 78))
    ethnicity = ethnicity or str(rng.choice(ETHNICITIES))
    origin = _ORIGINS[ethnicity]
    male = gender == "male"
    return Identity(
        seed=int(rng.integers(2**31)),
        gender=gender,
        age=age,
        ethnicity=ethnicity,
        shape=_shape(rng, male=male),
        features=_features(rng, origin, male=male),
        colours=_colours(rng, origin, male=male),
        looks=_looks(rng, origin, male=male, age=age, style=hair_style, beard=beard, glasses=glasses),
    )


def _age_group(age: int) -> str:
    return "young" if age < 35 else "middle" if age < 60 else "old"


def _near(rng: np.random.Generator, centre: float, spread: float) -> float:
    """A normal value, cut at two spreads so that nobody becomes a caricature."""
    return float(centre + spread * np.clip(rng.standard_normal(), -2, 2))


def _shape(rng: np.random.Generator, *, male: bool) -> Shape:
    return Shape(
        width=_near(rng, 1.0 if male else 0.965, 0.030),
        jaw=_near(rng, 1.03 if male else 0.94, 0.03),
        chin=_near(rng, 1.12 if male else 0.90, 0.08),
        length=_near(rng, 1.55 if male else 1.46, 0.04),
        fullness=_near(rng, 0.0, 0.45),
    )


def _features(rng: np.random.Generator, origin: _Origin, *, male: bool) -> Features:
    return Features(
        eye_size=_near(rng, 0.97 if male else 1.06, 0.035),
        eye_spacing=_near(rng, 0.455, 0.014),
        eye_tilt=_near(rng, 0.022 + 0.02 * origin.epicanthus, 0.010),
        eye_opening=_near(rng, 0.94 if male else 1.04, 0.06) - 0.10 * origin.epicanthus,
        epicanthus=origin.epicanthus * float(rng.uniform(0.6, 1.0)),
        crease=float(rng.uniform(*origin.crease)),
        brow_weight=_near(rng, 1.20 if male else 0.86, 0.12),
        brow_arch=_near(rng, 0.8 if male else 1.05, 0.20),
        brow_height=_near(rng, -0.010 if male else 0.004, 0.010),
        nose_width=origin.nose_width * _near(rng, 1.05 if male else 0.94, 0.05),
        nose_length=_near(rng, 1.02 if male else 0.97, 0.04),
        nose_bridge=origin.nose_bridge * _near(rng, 1.06 if male else 0.94, 0.06),
        mouth_width=_near(rng, 0.385 if male else 0.365, 0.016),
        upper_lip=origin.lips * _near(rng, 0.86 if male else 1.05, 0.08),
        lower_lip=origin.lips * _near(rng, 0.92 if male else 1.05, 0.08),
        uneven=(_near(rng, 0, 0.010), _near(rng, 0, 0.04), _near(rng, 0, 0.008)),
    )


def _mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    r, g, bl = (float(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return r, g, bl


def _colours(rng: np.random.Generator, origin: _Origin, *, male: bool) -> Colours:
    skin = _mix(*origin.skin, float(rng.uniform()))
    rose = (0.66, 0.30, 0.29) if male else (0.72, 0.27, 0.29)
    return Colours(
        skin=skin,
        lips=_mix(skin, rose, 0.42 if male else 0.60),
        hair=origin.hair[int(rng.integers(len(origin.hair)))],
        iris=origin.iris[int(rng.integers(len(origin.iris)))],
        cloth=_CLOTHS[int(rng.integers(len(_CLOTHS)))],
        backdrop=_BACKDROPS[int(rng.integers(len(_BACKDROPS)))],
    )


def _looks(
    rng: np.random.Generator,
    origin: _Origin,
    *,
    male: bool,
    age: int,
    style: str | None,
    beard: str | None,
    glasses: bool | None,
) -> Looks:
    styles = _STYLES["male" if male else "female", _age_group(age)]
    beards = ("none", "none", "stubble", "full", "moustache") if male else ("none",)
    drawn = str(rng.choice(styles)), str(rng.choice(beards)), bool(rng.uniform() < 0.2)
    return Looks(
        hair_style=style or drawn[0],
        grey=float(np.clip((age - 42) / 26, 0, 1) * rng.uniform(0.75, 1.0)),
        beard=beard or drawn[1],
        glasses=drawn[2] if glasses is None else glasses,
        clothes=str(rng.choice(["crew", "vee", "shirt", "roll"])),
        makeup=0.0 if male else float(rng.uniform(0.2, 0.8)),
        flush=origin.flush * float(rng.uniform(0.7, 1.2)),
        freckles=origin.freckles * float(rng.uniform() < 0.35),
    )
