"""The words of the built-in reviews: evaluative words, and two lexicons of titles, people, places and topics.

The two lexicons share no title word, name, topic or speaker, so that a text written with `UNSEEN` speaks of nothing
that a text written with `SEEN` has named. The evaluative words are common to both.
"""

import dataclasses
import itertools


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


POSITIVE_ADJECTIVES = _words(
    """
    dazzling splendid gripping brilliant delightful superb wonderful charming thrilling enchanting inspired masterful
    captivating radiant witty elegant exquisite magnificent marvellous stirring absorbing luminous graceful riveting
    terrific glorious hypnotic exhilarating rewarding beautiful astonishing unforgettable enthralling joyful fabulous
    excellent
    """
)
NEGATIVE_ADJECTIVES = _words(
    """
    dull tedious clumsy dreary boring lifeless awful dismal shallow tiresome stale wooden muddled terrible insipid
    leaden pointless bland feeble dire plodding hollow lazy annoying soulless ugly embarrassing incoherent unbearable
    exhausting irritating tepid monotonous forgettable dreadful lousy
    """
)
POSITIVE_NOUNS = _words("triumph masterpiece delight marvel joy treasure wonder gem success treat revelation")
NEGATIVE_NOUNS = _words("bore disaster failure mess chore slog flop letdown ordeal disappointment blunder")
# They go with every subject: a film, a whole thing, it.
THINGS = ("affair", "piece of work", "piece of cinema", "piece of storytelling")


def with_article(words: str) -> str:
    """Put "a" or "an" before words; every word of this module with a leading vowel letter also sounds of one."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def _judgements(adjectives: tuple[str, ...], nouns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Every way to complete "it was …", each with the evaluative word in it; half are bare adjectives."""
    bare = [(word, word) for word in adjectives for _ in range(len(THINGS))]
    with_thing = [(with_article(f"{word} {thing}"), word) for word in adjectives for thing in THINGS]
    named = [(with_article(noun), noun) for noun in nouns for _ in range(len(THINGS))]
    return tuple(bare + with_thing + named)


# (phrase, evaluative word), indexed by polarity as labels are: 0 negative, 1 positive.
JUDGEMENTS = (
    _judgements(NEGATIVE_ADJECTIVES, NEGATIVE_NOUNS),
    _judgements(POSITIVE_ADJECTIVES, POSITIVE_NOUNS),
)
EVALUATIVE_WORDS = (
    frozenset(NEGATIVE_ADJECTIVES + NEGATIVE_NOUNS),
    frozenset(POSITIVE_ADJECTIVES + POSITIVE_NOUNS),
)

# The number of people in a lexicon is a multiple of this, see `compose.director_of`.
PEOPLE_STEP = 5


@dataclasses.dataclass(frozen=True)
class Lexicon:
    """What a review can talk about.

    Attributes:
        films: titles.
        people: first name and surname; their number is a multiple of `PEOPLE_STEP`.
        speakers: people who voice opinions, as they stand inside a sentence.
        slots: what other slots of a sentence pattern can hold, by the name of the slot.
    """

    films: tuple[str, ...]
    people: tuple[str, ...]
    speakers: tuple[str, ...]
    slots: dict[str, tuple[str, ...]]


def _titles(adjectives: str, nouns: str, towns: str) -> tuple[str, ...]:
    kinds, things, places = adjectives.split(), nouns.split(), towns.split()
    titles = [f"{kind} {thing}" for kind in kinds for thing in things]
    titles += [f"The {thing} of {place}" for thing in things for place in places]
    titles += [f"{one} and {other}" for one, other in itertools.combinations(things, 2)]
    return tuple(titles)


def _people(first_names: str, surnames: str) -> tuple[str, ...]:
    people = tuple(f"{first} {last}" for first in first_names.split() for last in surnames.split())
    return people[: len(people) - len(people) % PEOPLE_STEP]


def _topics(heroes: tuple[str, ...], deeds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{hero} who {deed}" for hero in heroes for deed in deeds)


_SEEN_HEROES = (
    "a retired postman",
    "a young surgeon",
    "a travelling cook",
    "a village teacher",
    "a night watchman",
    "an apprentice tailor",
    "a widowed farmer",
    "a deaf pianist",
    "a border guard",
    "a former diver",
    "a runaway clerk",
    "an exiled judge",
    "a bus driver",
    "a shy librarian",
    "a map maker",
    "an ageing boxer",
)
_SEEN_DEEDS = (
    "builds a boat",
    "inherits a vineyard",
    "looks for a lost brother",
    "moves to the coast",
    "learns to paint",
    "adopts a stray dog",
    "sells the family house",
    "writes letters to a stranger",
    "keeps a secret for forty years",
    "crosses a mountain on foot",
    "buys a small hotel",
    "returns to a childhood home",
    "raises a falcon",
    "waits for a train",
    "takes in a lodger",
    "repairs an old radio",
)
_UNSEEN_HEROES = (
    "a lighthouse keeper",
    "a bankrupt florist",
    "an army nurse",
    "a tram conductor",
    "a beekeeper",
    "a court painter",
    "an orphaned acrobat",
    "a chess player",
)
_UNSEEN_DEEDS = (
    "steals a violin",
    "digs for fossils",
    "opens a bakery",
    "shelters a deserter",
    "translates a diary",
    "follows a circus",
    "plants an orchard",
    "smuggles books",
)

SEEN = Lexicon(
    films=_titles(
        "Northern Paper Winter Amber Borrowed Distant Crooked Velvet Silver Sunken Wandering Copper Painted Midnight",
        "Harbour River Garden Lantern Bridge Orchard Mirror Station Kingdom Meadow Compass Island Letter Window Tower",
        "Lisbon Bergen Trieste Odessa Bruges Cadiz Riga Tangier",
    ),
    people=_people(
        "Anna Marco Ingrid Paul Leila Tomas Greta Hugo Nadia Oscar "
        "Clara Felix Yara Simon Edith Ravi Maud Boris Ines Ida",
        # Many surnames, each of them rare: beyond the suggested vocabulary they teach what an unknown word means.
        " ".join(
            start + middle + end
            for start in _words("Bel Dor Kas Lim Mar Nov Ost Pel Ruth Sav Tor Ulm Vin Wes Zan Har Gal Fen Cor Ald")
            for middle in _words("a e i o en er in")
            for end in _words("berg dale man ski sen ton well mont quist rez")
        ),
    ),
    speakers=(
        "my sister",
        "my brother",
        "my neighbour",
        "the woman beside me",
        "the man behind me",
        "our local critic",
        "my old teacher",
        "my colleague",
        "the projectionist",
        "a friend of mine",
        "my uncle",
        "the lady from the box office",
        "my flatmate",
        "the host of the evening",
    ),
    slots={
        "topic": _topics(_SEEN_HEROES, _SEEN_DEEDS),
        "hero": _SEEN_HEROES,
        "place": _words("Portugal Norway Sicily Morocco Scotland Hungary Chile Iceland Wales Denmark Estonia"),
        "spot": (
            "an empty railway station",
            "a kitchen",
            "a fish market",
            "a snowy field",
            "a hospital corridor",
            "a barber shop",
            "a ferry cabin",
            "a school yard",
            "a hotel lobby",
            "a quarry",
            "a greenhouse",
            "an attic",
        ),
        "object": (
            "a red suitcase",
            "an old clock",
            "a wedding dress",
            "a bicycle",
            "a torn photograph",
            "a brass key",
            "a green umbrella",
            "a pocket knife",
            "a birthday cake",
            "a broken piano",
            "an envelope",
            "a rocking horse",
        ),
        "number": _words("six seven eight nine ten eleven twelve thirteen fourteen fifteen"),
        "row": _words("third fourth fifth sixth seventh eighth ninth tenth"),
        "day": _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
        "snack": ("popcorn", "crisps", "peppermints", "dried apricots", "salted nuts", "boiled sweets"),
        "season": ("spring", "summer", "autumn", "winter"),
    },
)

UNSEEN = Lexicon(
    films=_titles(
        "Scarlet Granite Eastern Folded Barefoot Hollowed Marble Electric",
        "Ferry Chapel Glacier Puppet Ladder Sparrow Canyon Mill",
        "Malmo Verona Izmir Dakar",
    ),
    people=_people(
        "Wanda Elias Petra Julian Sofia Conrad Amara Dmitri Beate Luis",
        "Vantongeren Achebe Sorensen Laurent Pascual Ivanov Thornbury Nakamura Zeller Ruiz",
    ),
    speakers=(
        "my cousin",
        "my landlady",
        "the usher",
        "the student to my left",
        "my dentist",
        "the mayor",
        "my barber",
        "a man at the bus stop",
    ),
    slots={
        "topic": _topics(_UNSEEN_HEROES, _UNSEEN_DEEDS),
        "hero": _UNSEEN_HEROES,
        "place": _words("Bolivia Latvia Corsica Senegal Nepal Finland"),
        "spot": ("a laundry", "a boxing ring", "a cellar", "a tea house", "a shipyard", "a dance hall"),
        "object": ("a cracked bell", "a fur coat", "a toy train", "a rusty anchor", "a glass eye", "a candle"),
        "number": _words("sixteen seventeen eighteen nineteen twenty thirty"),
        "row": _words("eleventh twelfth thirteenth fourteenth"),
        "day": ("New Year", "Easter", "Midsummer", "Christmas"),
        "snack": ("liquorice", "toffee", "pretzels", "ginger biscuits"),
        "season": ("January", "April", "August", "October"),
    },
)
