"""A class made by kploy.model.frozen is what the standard library makes of the same lines."""

import copy
import dataclasses
import inspect
import pickle
import sys
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, field, fields
from threading import Barrier
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.model.frozen import dataclass, replace


def plain(made_by: Callable[..., Any]) -> type:
    @made_by(frozen=True, slots=True)
    class Point:
        """With defaults of both sorts, and one constant."""

        origin: ClassVar[int] = 0
        x: int
        y: int = 7
        notes: list[str] = field(default_factory=list, hash=False)
        hidden: str = field(default="", repr=False, compare=False)

        @property
        def sum(self) -> int:
            return self.x + self.y

    return Point


def ordered(made_by: Callable[..., Any]) -> type:
    @made_by(frozen=True, slots=True, order=True)
    class Point:
        """In the order of its fields."""

        x: int
        y: int = 0

    return Point


def by_identity(made_by: Callable[..., Any]) -> type:
    @made_by(frozen=True, slots=True, eq=False, repr=False)
    class Point:
        """Equal to itself only."""

        x: int

    return Point


def empty(made_by: Callable[..., Any]) -> type:
    @made_by(frozen=True, slots=True)
    class Point:
        """Without a field."""

    return Point


def with_methods(made_by: Callable[..., Any]) -> type:
    @made_by(frozen=True, slots=True)
    class Point:
        """Whose own methods stay."""

        x: int

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 1

        def __repr__(self) -> str:
            return "mine"

    return Point


def inherited(made_by: Callable[..., Any]) -> type:
    @made_by(frozen=True, slots=True)
    class Base:
        """One field."""

        x: int

    @made_by(frozen=True, slots=True)
    class Point(Base):
        """And another."""

        y: int = 0

    return Point


def oddly_named(made_by: Callable[..., Any]) -> type:
    @made_by(frozen=True, slots=True)
    class Point:
        """Fields that are called like what stands for none."""

        missing: int
        x: list[int] = field(default_factory=list, hash=False)

    return Point


CLASSES = [plain, ordered, by_identity, empty, with_methods, inherited, oddly_named]
NUMBERS = st.lists(st.integers(-2, 2), max_size=3)


def outcome(act: Callable[[], object]) -> object:
    """What comes of it: a value, or the type of the error and what it says after the name of the class."""
    try:
        return act()
    except Exception as exc:  # noqa: BLE001 - whatever it is, the other has to do the same
        return type(exc), str(exc).rpartition("__init__()")[2]


@pytest.mark.parametrize("make", CLASSES)
@given(one=NUMBERS, other=NUMBERS)
def test_it_compares_hashes_orders_and_shows_as_the_original_does(
    make: Callable[..., type], one: list[int], other: list[int]
) -> None:
    made, original = make(dataclass), make(dataclasses.dataclass)

    def told(cls: type) -> list[object]:
        first, second = outcome(lambda: cls(*one)), outcome(lambda: cls(*other))
        if not (isinstance(first, cls) and isinstance(second, cls)):
            return [each for each in (first, second) if not isinstance(each, cls)]
        order = outcome(lambda: (first < second, first <= second, first > second, first >= second))  # type: ignore[operator]
        return [
            "" if " object at " in repr(first) else repr(first),
            first == second,
            first != second,
            hash(first) == hash(second) or first != second,
            order if order[0] is not TypeError else TypeError,  # type: ignore[index]
        ]

    assert told(made) == told(original)
    assert [each.name for each in fields(made)] == [each.name for each in fields(original)]
    assert made.__match_args__ == original.__match_args__  # type: ignore[attr-defined]
    assert made.__slots__ == original.__slots__  # type: ignore[attr-defined]
    assert made.__doc__ == original.__doc__


def test_objects_of_two_classes_are_never_equal() -> None:
    one, other = plain(dataclass), plain(dataclass)
    assert one(1) != other(1)
    assert one(1) == one(1)
    assert hash(one(1)) == hash(one(1))


@pytest.mark.parametrize("make", [plain, ordered, inherited])
def test_nothing_can_be_set_or_deleted(make: Callable[..., type]) -> None:
    point = make(dataclass)(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'z'"):
        point.z = 3
    assert point.x == 1


def test_what_is_made_anew_by_default_is_not_shared() -> None:
    point = plain(dataclass)
    one, other = point(1), point(1)
    one.notes.append("mine")
    assert (one.notes, other.notes) == (["mine"], [])


@pytest.mark.parametrize("make", [plain, ordered, inherited])
def test_who_looks_at_the_class_before_there_is_an_object_sees_the_same(make: Callable[..., type]) -> None:
    made, original = make(dataclass), make(dataclasses.dataclass)
    assert list(inspect.signature(made).parameters) == list(inspect.signature(original).parameters)
    assert dataclasses.is_dataclass(make(dataclass))
    assert issubclass(make(dataclass), Hashable)


def test_who_derives_from_it_without_a_field_gets_everything_from_it() -> None:
    class Derived(ordered(dataclass)):  # type: ignore[misc]
        def __init__(self, x: int) -> None:
            super().__init__(x, y=x)

    assert [each.name for each in fields(Derived)] == ["x", "y"]
    assert Derived(1) == Derived(1)
    assert Derived(1) < Derived(2)
    assert len({Derived(1), Derived(1), Derived(2)}) == 2
    assert repr(Derived(1)).endswith("Derived(x=1, y=1)")


def test_it_can_be_replaced_and_taken_apart() -> None:
    point = ordered(dataclass)
    assert replace(point(1, 2), y=3) == dataclasses.replace(point(1, 2), y=3) == point(1, 3)
    assert dataclasses.asdict(point(1, 2)) == {"x": 1, "y": 2}


@pytest.mark.parametrize("make", CLASSES)
@given(values=NUMBERS, changes=st.dictionaries(st.sampled_from(["x", "y", "z", "missing"]), st.integers(-2, 2)))
def test_it_is_replaced_as_the_original_is(
    make: Callable[..., type], values: list[int], changes: dict[str, int]
) -> None:
    def told(cls: type, replaced: Callable[..., Any]) -> object:
        before = outcome(lambda: cls(*values))
        if not isinstance(before, cls):
            return None
        after = outcome(lambda: replaced(before, **changes))
        if not isinstance(after, cls):
            return after[0]  # type: ignore[index]
        return [(type(one) is cls, *(getattr(one, each.name) for each in fields(cls))) for one in (before, after)]

    assert told(make(dataclass), replace) == told(make(dataclasses.dataclass), dataclasses.replace)


def test_what_derives_without_a_field_stays_what_it_is_when_it_is_replaced() -> None:
    class Derived(ordered(dataclass)):  # type: ignore[misc]
        """The same, called otherwise."""

    assert type(replace(Derived(1, 2), y=3)) is Derived


@dataclass(frozen=True, slots=True)
class Known:
    """One that pickle finds."""

    x: int
    y: list[int]


def test_it_can_be_matched_by_position() -> None:
    match Known(4, []):
        case Known(x, y):
            assert (x, y) == (4, [])


def test_it_can_be_copied_and_pickled() -> None:
    known = Known(1, [2])
    assert copy.copy(known) == copy.deepcopy(known) == pickle.loads(pickle.dumps(known)) == known  # noqa: S301
    assert copy.deepcopy(known).y is not known.y


def test_threads_may_make_its_first_objects_at_the_same_time() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for _ in range(100):
                point, begin = plain(dataclass), Barrier(8)

                def first(number: int, point: Any = point, begin: Barrier = begin) -> tuple[Any, str]:
                    begin.wait()
                    made = point(number)
                    return made.notes, repr(made)

                shown = [f"{point.__qualname__}(x={number}, y=7, notes=[])" for number in range(8)]
                assert list(pool.map(first, range(8))) == [([], each) for each in shown]
    finally:
        sys.setswitchinterval(before)


def test_it_is_for_frozen_classes_with_slots() -> None:
    with pytest.raises(TypeError, match="for frozen classes with slots only"):
        dataclass(frozen=False, slots=True)
