"""The opinions of the built-in reviews that are kept for the unseen part of the test, by their role in a review.

The roles, and the rule for the words around `{e}` and `{f}`, are those of `opinions`. Most words of these
patterns stand in train in other patterns, so that a model that reads them in order can follow.
"""

from pipelines.review_grammar.sentences import two_voices

OPINIONS: dict[str, tuple[str, ...]] = {
    "quote": (
        "I was told by {who} that it was {e}.",
        "Earlier, {who} had said to me that the film was {e}.",
        "To hear {who}, the whole thing was {e}.",
        "As I left, {who} was explaining that it was {e}.",
        "Everybody heard {who} say that the film was {e}.",
    ),
    "agree": (
        "As far as this film goes, I agree with {who}.",
        "All I can say is that {who} was right.",
        "To my mind {who} had it right.",
        "Not for one moment did I disagree with {who}.",
        "I hold the same opinion as {who}.",
        "I do not think that {who} was wrong.",
    ),
    "disagree": (
        "As far as this film goes, I disagree with {who}.",
        "All I can say is that {who} was wrong.",
        "To my mind {who} had it wrong.",
        "Not for one moment did I agree with {who}.",
        "I hold the opposite opinion to {who}.",
        "I do not think that {who} was right.",
    ),
    "own": (
        "When it began, my judgement was that it was {e}.",
        "I made a note after the opening that the film was {e}.",
        "After my first visit I thought that the whole thing was {e}.",
        "The first thing I told myself was that it was {e}.",
    ),
    "keep": (
        "Since then my mind has not changed.",
        "To this day I stand by that.",
        "That first judgement was right.",
        "I would not take back a word of that.",
        "My opinion is still the same.",
    ),
    "flip": (
        "Since then my mind has changed.",
        "To this day I take back that judgement.",
        "That first judgement was wrong.",
        "I would now take back every word of that.",
        "My opinion is now the opposite.",
    ),
    "early": (
        "In the first scenes I had the impression that it was {e}.",
        "When we sat down I had thought that the film was {e}.",
        "Before the interval I had been sure that the whole thing was {e}.",
        "From the trailer I had assumed that it was {e}.",
    ),
    "late": (
        "In the final act I came to see that it was {e}.",
        "My last word is that the film was {e}.",
        "When it was over I was certain that the whole thing was {e}.",
        "At the end there was no doubt that it was {e}.",
    ),
    "other": (
        "I remember the previous work, {other}, and we agreed that it was {e}.",
        "About {other}, which came out a year earlier, I said that the film was {e}.",
        "There was an older film, {other}, and I wrote that the whole thing was {e}.",
    ),
    "this": (
        "Now, of this new film I say that it was {e}.",
        "As for the present work, I thought that the film was {e}.",
        "About this one, {film}, we agreed that the whole thing was {e}.",
    ),
    "same": (
        "The present film is just the same.",
        "I would say the same of this one.",
        "This new work is not different.",
    ),
    "opposite": (
        "The present film is just the opposite.",
        "I would say the opposite of this one.",
        "This new work is quite different.",
    ),
    "affirm": (
        "Nobody in the audience would deny that it is {e}.",
        "If a friend asked me, I would say that the film is {e}.",
        "It is only fair to say that the whole thing is {e}.",
        "No one could doubt that it is {e}.",
        "It is true that the film is {e}.",
    ),
    "negate": (
        "Nobody in the audience would say that it is {e}.",
        "If a friend asked me, I would never say that the film is {e}.",
        "It is not fair to say that the whole thing is {e}.",
        "No one could believe that it is {e}.",
        "I cannot accept that the film is {e}.",
    ),
    "plain": (
        "To me it is {e}.",
        "My view is that the film is {e}.",
        "All in all, the whole thing is {e}.",
    ),
    "plain_not": (
        "To me it is not {e}.",
        "My view is that the film is not {e}.",
        "All in all, the whole thing is never {e}.",
    ),
    "two_voices": two_voices(
        ("my brother and I", "I"),
        ("other people", "all the others"),
        ("said that the whole thing was", "thought that the film was"),
        ("while", "but"),
    )
    + two_voices(
        ("at the end I knew that",),
        ("in the opening scenes I had thought that",),
        ("the whole thing was", "it was"),
        ("but",),
    ),
}
