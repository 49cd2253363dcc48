"""The opinions of the built-in reviews that stand in train, and the answers to them, by their role in a review.

So that no run of three words gives the role of a judgement away, the two words before `{e}` or `{f}` are the same in
every role ("it was", "film was", "thing was", "it is", …), and a full stop or a connective that serves both roles
follows it.
"""

from pipelines.review_grammar.sentences import join

_OUTRIGHT = (
    "I think that",
    "I have to say that",
    "In my view",
    "Having seen it myself, I know that",
    "As it turned out,",
    "I sat through all of it, and",
    "After this evening I can say that",
    "There is no doubt that",
    "As to this film,",
    "So far as I can see,",
    "I know only that",
)
_DENIED = ("I cannot say that", "I do not believe that", "It is not as if", "Nobody could tell me that")
_LATER = (
    "Today",
    "Now",
    "Having slept on it,",
    "As I write this,",
    "Looking back,",
    "A week later",
    "Having seen the rest,",
    "These days",
    "By now",
    "In the light of day",
    "As for that thought:",
)

OPINIONS: dict[str, tuple[str, ...]] = {
    "quote": (
        "{who} had told me that it was {e}.",
        "Some days ago {who} said that the film was {e}.",
        "According to {who}, the whole thing was {e}.",
        "{who} had written to me that it was {e}.",
        "A week earlier {who} had explained to me why it was {e}.",
        "{who} swore over lunch that the film was {e}.",
        "In the foyer {who} announced that the whole thing was {e}.",
        "{who} came out saying that it was {e}.",
        "{who} let everybody know that the film was {e}.",
        "I heard from {who} that the whole thing was {e}.",
        "It was the opinion of {who} that the film was {e}.",
    ),
    "agree": join(
        _OUTRIGHT,
        (
            "{who} was right.",
            "{who} had it right.",
            "{who} was not wrong.",
            "{who} was not mistaken.",
            "what {who} said is true.",
            "{who} had judged it correctly.",
            "I agree with {who}.",
            "I share the opinion of {who}.",
            "I am of the same opinion as {who}.",
        ),
        (
            "On this film I am of one mind with {who}.",
            "I would put my name to what {who} said.",
            "I looked for a reason to disagree with {who} and found none.",
            "I would say the same as {who}.",
            "At no point did I disagree with {who}.",
            "Never did I disagree with {who}.",
            "In no way do I disagree with {who}.",
            "Not for a minute could I disagree with {who}.",
            "I hold the opinion of {who} to be right.",
        ),
    )
    + join(
        _DENIED,
        ("{who} was wrong.", "{who} had it wrong.", "{who} was mistaken.", "what {who} said is false."),
    ),
    "disagree": join(
        _OUTRIGHT,
        (
            "{who} was wrong.",
            "{who} had it wrong.",
            "{who} was not right.",
            "{who} was mistaken.",
            "what {who} said is false.",
            "{who} had misjudged it.",
            "I disagree with {who}.",
            "I do not share the opinion of {who}.",
            "I am of the opposite opinion to {who}.",
        ),
        (
            "On this film I am not of one mind with {who}.",
            "I would never put my name to what {who} said.",
            "I looked for a reason to agree with {who} and found none.",
            "I would say the opposite of what {who} said.",
            "At no point did I agree with {who}.",
            "Never did I agree with {who}.",
            "In no way do I agree with {who}.",
            "Not for a minute could I agree with {who}.",
            "I hold the opinion of {who} to be wrong.",
        ),
    )
    + join(
        _DENIED,
        ("{who} was right.", "{who} had it right.", "{who} had judged it correctly.", "what {who} said is true."),
    ),
    "own": (
        "After ten minutes I wrote in my notebook that it was {e}.",
        "My first thought was that the film was {e}.",
        "During the opening I told myself that the whole thing was {e}.",
        "At the interval I would have said that it was {e}.",
        "Early on I made up my mind that the film was {e}.",
        "After a first viewing my judgement was that the whole thing was {e}.",
        "My first impression was that it was {e}.",
        "When I first saw it, I thought that the film was {e}.",
    ),
    "keep": join(
        _LATER,
        (
            "I stand by that judgement.",
            "I have not changed my mind.",
            "my mind has not changed.",
            "my opinion is the same.",
            "I hold the same opinion.",
            "I still think so.",
            "that is still my opinion.",
            "I take nothing back.",
            "I think that I was right.",
            "I think that my first judgement was right.",
            "I do not think that I was wrong.",
        ),
        (
            "I have not changed my mind about that since then.",
            "Nothing that came later made me change my mind.",
            "That first impression turned out to be right.",
            "That first thought was right.",
            "I was not mistaken about that.",
            "I have had no reason to take back that opinion.",
            "I still stand by every word of it.",
            "I would not take back anything I thought then.",
            "I would say the same again.",
            "I would not take a word of it back.",
        ),
    ),
    "flip": join(
        _LATER,
        (
            "I take back that judgement.",
            "I have changed my mind.",
            "my mind has changed.",
            "my opinion is the opposite.",
            "I hold the opposite opinion.",
            "I no longer think so.",
            "that is no longer my opinion.",
            "I take everything back.",
            "I think that I was wrong.",
            "I think that my first judgement was wrong.",
            "I do not think that I was right.",
        ),
        (
            "I have changed my mind about that since then.",
            "Everything that came later made me change my mind.",
            "That first impression turned out to be wrong.",
            "That first thought was wrong.",
            "I was mistaken about that.",
            "I have had every reason to take back that opinion.",
            "I no longer stand by a word of it.",
            "I would now take back everything I thought then.",
            "I would now say the opposite.",
            "I would take every word of it back.",
        ),
    ),
}
