"""The sentence patterns of the built-in reviews: one set for training, another for the unseen part of the test.

A pattern is an English sentence with slots in braces. `{e}` and `{f}` hold judgements ("dull", "a triumph"), `{who}`
a speaker, `{film}`, `{other}` and `{director}` what is reviewed; the other slots are those of `words.Lexicon`.
"""

import dataclasses
import itertools

from pipelines.review_grammar import opinions, unseen_opinions, verdicts


@dataclasses.dataclass(frozen=True)
class Patterns:
    """Sentence patterns by what they do in a review.

    Attributes:
        opening: neutral; names `{film}` and `{director}`.
        fact: neutral; stands once in a review, since two of them could contradict each other.
        scene: neutral; can stand in a review any number of times.
        opinions: patterns with a judgement, or with a reference to one, by role; see `compose`.
    """

    opening: tuple[str, ...]
    fact: tuple[str, ...]
    scene: tuple[str, ...]
    opinions: dict[str, tuple[str, ...]]

    def all(self) -> tuple[str, ...]:
        """Every pattern of the set."""
        return (*self.opening, *self.fact, *self.scene, *itertools.chain(*self.opinions.values()))


SEEN = Patterns(
    opening=(
        "{film}, the new film by {director}, tells of {topic}.",
        "In {film}, {director} tells the story of {topic}.",
        "{director} has made a film called {film}, about {topic}.",
        "{film} is a film by {director} about {topic}.",
        "Last {day} I went to see {film}, directed by {director}.",
        "With {film}, {director} turns to the life of {topic}.",
        "The subject of {film}, which {director} wrote and directed, is {topic}.",
        "I saw {film} by {director} on {day} evening.",
        "Our cinema is showing {film}, in which {director} follows {topic}.",
        "{director} needed {number} years to finish {film}.",
    ),
    fact=(
        "It was shot in {place} over {number} weeks.",
        "The music is by {person}.",
        "{person} plays {hero}.",
        "We had seats in the {row} row.",
        "It runs for two hours and {number} minutes.",
        "The script is based on a novel by {person}.",
        "There were {number} of us in the audience.",
        "We shared a bag of {snack}.",
        "I had come straight from work.",
        "The screening began at {number} minutes past seven.",
        "Most of the dialogue is in a dialect from {place}.",
        "{person} edited the film.",
        "It was raining when we arrived.",
        "The costumes were made in {place}.",
        "The poster shows {object}.",
        "It is set in the {season} of a year that is never named.",
        "The camera was in the hands of {person}.",
        "Part of the money came from {place}.",
        "It opens in cinemas on {day}.",
        "The hall was heated, and someone was selling {snack}.",
    ),
    scene=(
        "One scene takes place in {spot}.",
        "At one point {hero} finds {object}.",
        "A good deal of it happens in {spot}.",
        "{hero} walks past with {object}.",
        "Then the story moves to {spot} in {place}.",
        "There is a long conversation in {spot} about {object}.",
        "Meanwhile {hero} hides {object} in {spot}.",
        "In {spot} we meet {topic}.",
        "The camera rests on {object} for a while.",
        "Somebody carries {object} through {spot}.",
        "We also hear of {topic}.",
        "A cousin from {place} arrives with {object}.",
    ),
    opinions=opinions.OPINIONS | verdicts.OPINIONS,
)

UNSEEN = Patterns(
    opening=(
        "{topic}: that is what {director} shows us in {film}.",
        "At {day} they gave us {film}, a work by {director}.",
        "Few have heard of {film}, made by {director} in {place}.",
        "You may know {director}, whose latest work bears the name {film}.",
    ),
    fact=(
        "About {number} people had bought tickets.",
        "All of the actors come from {place}.",
        "{person} wrote the songs.",
        "They filmed it during one {season}.",
        "My seat was in the {row} row.",
        "The usual advertisements came before it.",
        "I had brought some {snack}.",
        "A book of the same name exists, by {person}.",
    ),
    scene=(
        "Later {hero} turns up at {spot}.",
        "{object} lies on the floor of {spot}.",
        "Far away, in {place}, lives {topic}.",
        "For some minutes we look at {object} in {spot} and hear the wind.",
        "{spot} is where {hero} loses {object}.",
        "{hero} and {person} share {object}.",
    ),
    opinions=unseen_opinions.OPINIONS,
)
