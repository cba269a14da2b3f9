"""What is said: who speaks each quote, how, and in which language; and which quotes are titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.planners.offline.cast import Mention, Roster
from agent.planners.offline.page import LINE_MARK, Page, Quote
from agent.planners.offline.say import Notes
from agent.planners.offline.shown import is_on_poster, is_shown
from agent.planners.offline.spoken import Speech, SpokenLine
from agent.planners.offline.text import tokenise
from agent.planners.offline.tongue import language_of_line
from agent.planners.offline.vocabulary import READING, Vocabulary
from agent.planners.offline.voices import is_off
from agent.planners.offline.wordlists import starts_with
from agent.planners.offline.wordlists import words as word_list
from tools.storyboard import Delivery, Emotion, Line

__all__ = ["MAX_LINE", "read_speech"]

MAX_LINE = 600
_REACH = 14
"""So many tokens before and behind a quote may tell who says it."""
_TITLES = ("title_card", "title", "overlay")


class _Reader:
    def __init__(
        self,
        page: Page,
        mentions: Sequence[Mention],
        vocabulary: Vocabulary,
        roster: Roster,
        notes: Notes,
        speakers: Callable[[str], tuple[str, ...]],
    ) -> None:
        self.page, self.mentions, self.vocabulary = page, list(mentions), vocabulary
        self.roster, self.notes, self.speakers = roster, notes, speakers
        self.speech = Speech()
        self.last: tuple[str, ...] = ()
        self.exchange: list[str] = []
        """Those who speak by turns, until somebody is named."""
        self.behind = False
        """Whether the last speaker was told behind the quote."""

    def read(self) -> Speech:
        for number, quote in enumerate(self.page.quotes):
            if quote.speaker:
                self._say(quote, self.speakers(quote.speaker), (quote.token, quote.token + 1), quote.manner)
                continue
            before = self.page.quotes[number - 1].token + 1 if number else 0
            after = self.page.quotes[number + 1].token if number + 1 < len(self.page.quotes) else len(self.page.tokens)
            self._quote(quote, self._back(quote.token, before), self._ahead(quote.token, after))
        return self.speech

    def _back(self, token: int, stop: int) -> int:
        """Where the words before a quote that may tell its speaker begin: not across a sentence's end."""
        at = token
        while at > max(stop, token - _REACH) and not (
            self.page.key(at - 1) in (".", "!", "?", ";") or self.page.breaks_between(at - 1, at)
        ):
            at -= 1
        return at

    def _ahead(self, token: int, stop: int) -> int:
        at = token + 1
        while at < min(stop, token + _REACH) and self.page.key(at) not in (".", "!", "?", ";", ":"):
            if self.page.breaks_between(at - 1, at) and at > token + 1:
                break
            at += 1
        return at

    def _quote(self, quote: Quote, back: int, ahead: int) -> None:
        if self._is_title(quote, back):
            return
        told_behind = self.behind
        who, span = self._attribution(quote.token, back, ahead)
        who = self._not_to_oneself(who, quote, span)
        acting = self._acting_before(quote)
        if not who and acting is not None and back == quote.token:
            who, span = acting.ids, (quote.token, quote.token + 1)  # `Luca shrugs. "Give me a minute!"`
        if not who and self.last and back == quote.token and told_behind:
            who, span = self.last, (quote.token, quote.token + 1)  # `"Hello," says Luca. "How are you?"`
        if not who and back == quote.token and self.last and self.last[0] in self.exchange:
            turn = (self.exchange.index(self.last[0]) + 1) % len(self.exchange)
            who, span = (self.exchange[turn],), (quote.token, quote.token + 1)
        if not who:
            who = self._counted_off(quote.token, back)
        if not who:
            who, span = self._guess(quote, back), (back, ahead)
            if not who:
                self.notes.ask("speaker_unknown", text=_short(quote.text))
                return
        self._say(quote, who, span, "")

    def _not_to_oneself(self, who: tuple[str, ...], quote: Quote, span: tuple[int, int]) -> tuple[str, ...]:
        """`Alberto looks for Luca. "Luca!" he calls.`: a pronoun is not the one whom the words call."""
        words = tokenise(quote.text)
        called = {m.id for m in self.vocabulary.find(words, self.page.language, READING) if m.subject == "cast"}
        if len(who) > 1 and called & set(who) and self._all_of_them(span):
            return tuple(i for i in who if i not in called)  # `Everyone cheers: "Bravo Luca!"`
        if len(who) == 1 and who[0] in called and (crowd := self._all_of_them(span)):
            return (self.roster.voice(self.page.words(*crowd).strip(" :,")),)
        pronoun = any(m.kind == "pronoun" and m.ids == who for m in self.mentions if span[0] <= m.start < span[1])
        if len(who) != 1 or who[0] not in called or not pronoun:
            return who
        earlier = [i for m in self.mentions if m.end <= quote.token and len(m.ids) == 1 for i in m.ids]
        same = [i for i in earlier if i not in called and self.roster.gender(i) == self.roster.gender(who[0])]
        return (same[-1],) if same else who

    def _all_of_them(self, span: tuple[int, int]) -> tuple[int, int] | None:
        """Where `everyone`, `tutti` stands between two tokens."""
        all_ = [m for m in self.mentions if m.kind == "pronoun" and m.noun == "they" and span[0] <= m.start < span[1]]
        return (all_[0].start, all_[0].end) if all_ and self.page.key(all_[0].start) in word_list("all_words") else None

    def _counted_off(self, token: int, back: int) -> tuple[str, ...]:
        """`Two fishermen. The first says "...", the second "..."`"""
        several = next((m for m in reversed(self.mentions) if m.end <= token and len(m.ids) > 1), None)
        if several is None or not self.page.of("speech", "delivery", start=back, end=token):
            return ()
        one = self._one_of(Mention(several.start, max(back, several.end), several.ids), token)
        return one.ids if len(one.ids) == 1 else ()

    def _acting_before(self, quote: Quote) -> Mention | None:
        """The one in the sentence right before a quote, when that sentence is not the one that tells who spoke last."""
        page, number = self.page, self.page.quotes.index(quote)
        begin = page.quotes[number - 1].token + 1 if number else 0
        near = [m for m in self.mentions if begin <= m.start < quote.token and len(m.ids) == 1]
        if not number or not near:
            return None
        ended = page.quotes[number - 1].text.rstrip().endswith((".", "!", "?", "…"))
        told = page.of("speech", "delivery", start=begin, end=quote.token)
        return near[-1] if page.breaks_between(begin, near[-1].start) or (ended and not told) else None

    def _is_title(self, quote: Quote, back: int) -> bool:
        page = self.page
        if is_shown(page, quote, back, self.mentions):
            self.speech.overlays.append((quote.text[:200], quote.token))
            if any(m.id == "title_card" for m in page.of("thing", start=back, end=quote.token)):
                self.speech.cards.add(quote.token)
            # `a poster reads "RACE"`: nobody reads there.
            reads = page.of("pose", start=max(back, quote.token - 2), end=quote.token)
            page.keep([m for m in page.matches if m not in reads])
            return True
        if is_on_poster(page, quote, back, self.mentions):
            self.speech.title = quote.text[:120]
            self.speech.overlays.append((quote.text[:200], quote.token))
            return True
        thing = next((m for m in reversed(page.of(*("thing", "style"), start=back, end=quote.token))), None)
        speech = page.of("speech", start=back, end=quote.token)
        behind = page.at(quote.token + 1, "thing")
        if behind and behind.id in ("title_card", "overlay") and not speech:
            thing = behind
        if thing is None or (speech and speech[-1].start > thing.end and thing.id not in ("overlay", "title_card")):
            return False
        people = [m for m in self.mentions if thing.end <= m.start < quote.token]
        if thing.subject == "style":
            near = quote.token - thing.end <= 1
            if near:
                self.speech.other.append(quote.text)
            return near
        if thing.id not in (*_TITLES, "style", "place", "scene", "story", "camera") or people:
            return False
        if thing.id in ("style", "place", "scene", "camera", "story"):
            if thing.id in ("scene", "story") or quote.token - thing.end > 2:
                return False
            self.speech.other.append(quote.text)
            return True
        if (
            thing.id == "title"
            and not page.of("thing", start=max(0, thing.start - 3), end=thing.start)
            and _names_film(page, thing.start)
        ):
            self.speech.title = quote.text[:120]
        else:
            self.speech.overlays.append((quote.text[:200], quote.token))
            if thing.id == "title_card":
                self.speech.cards.add(quote.token)
        return True

    def _attribution(self, token: int, back: int, ahead: int) -> tuple[tuple[str, ...], tuple[int, int]]:
        """Who says a quote by the words around it, and the tokens that say so."""
        page = self.page
        before = [m for m in self.mentions if back <= m.start < token]
        behind = [m for m in self.mentions if token < m.start < ahead]
        gap = token + 1
        while gap < ahead and page.key(gap) in (",", "-", "–", "—", "("):
            gap += 1
        speech_behind = page.at(gap, "speech", "delivery")
        mention_behind = next((m for m in behind if m.start == gap), None)
        speech_before = page.of("speech", start=back, end=token)
        direct = bool(before) and self._stands_before(before[-1], token)
        if speech_behind and behind and behind[0].start == speech_behind.end and page.key(token - 1) != ",":
            self.behind = True
            return behind[0].ids, (token + 1, ahead)  # `They whisper: "Quiet!" says Luca.`
        if not speech_before and not direct and page.key(token - 1) != ":":
            self.behind = bool(behind and (speech_behind or mention_behind))
            if speech_behind and behind:
                return behind[0].ids, (token + 1, ahead)
            if mention_behind and (page.key(gap - 1) in ("-", "–", "—", "(") or self._speaks(mention_behind, ahead)):
                return mention_behind.ids, (token + 1, ahead)
        if before:
            chosen = self._one_of(self._subject(before, speech_before, token), token)
            stop = next((m.start for m in behind), ahead)
            return chosen.ids, (chosen.start if not chosen.start > back + 3 else back, self._manner_end(token, stop))
        if speech_behind and behind:
            return behind[0].ids, (token + 1, ahead)
        if (speech_before or speech_behind) and self.last:
            return self.last, (back, ahead)
        return (), (back, ahead)

    def _manner_end(self, token: int, stop: int) -> int:
        """How far behind a quote its manner may stand: `"We can do this!" (excited)`, `"Go," softly`."""
        at = token + 1
        if self.page.key(at) == "(":
            while at < stop and self.page.key(at) != ")":
                at += 1
            return at
        if self.page.key(at) == ",":
            at += 1
        while at < stop and self.page.at(at, "delivery", "emotion") and at < token + 4:
            at += 1
        return at

    def _stands_before(self, mention: Mention, token: int) -> bool:
        """`luca "..."`, `Luca: "..."`, `Luca (scared): "..."`, `Luca, excited: "..."`."""
        rest = range(mention.end, token)
        return all(self.page.tokens[at].is_mark or self.page.at(at, "emotion", "delivery") for at in rest)

    def _speaks(self, mention: Mention, ahead: int) -> bool:
        return any(m.start - mention.end <= 1 for m in self.page.of("speech", "delivery", start=mention.end, end=ahead))

    def _subject(self, before: Sequence[Mention], speech: Sequence[object], token: int) -> Mention:
        """The one before the verb of saying: `Luca says to Alberto "..."`; with none, the nearest."""
        verbs = (
            [m.start for m in self.page.of("speech", start=before[0].start, end=min(before[-1].end + _REACH, token))]
            if speech
            else []
        )
        if verbs:
            subjects = self._of_clause([m for m in before if m.end <= verbs[-1]])
            if subjects:
                joined = self.page.key(verbs[-1] - 1) in word_list("and_words")
                nearest = (
                    subjects[0] if joined and not self.page.breaks_between(subjects[0].end, verbs[-1]) else subjects[-1]
                )
                if joined and len(subjects) > 1 and self.page.key(subjects[0].end) in word_list("and_words"):
                    nearest = subjects[1]
                return self._joined(nearest, subjects)
        given = before[-1].start - 1
        done_to = self.page.at(given, "pose") is not None or self.page.key(given) in word_list("deeds")
        if len(before) > 1 and self.page.key(token - 1) == ":" and done_to:
            return self._joined(before[-2], before[:-1])  # `The grandmother gives Luca a sandwich: "Eat!"`
        return self._joined(before[-1], before)

    def _of_clause(self, subjects: list[Mention]) -> list[Mention]:
        """`Luca and Giulia at the harbour, Luca is surprised and says`: from the one who begins the last clause on."""
        for number in range(len(subjects) - 1, 0, -1):
            mention = subjects[number]
            verb = self.page.at(mention.start - 1, "pose") is not None  # `..., entra suo padre e chiede`
            at = mention.start - 1 - verb
            opens = self.page.key(at) in word_list("clause_openers")
            if opens and (verb or self.page.key(mention.end) not in word_list("and_words") | {","}):
                return subjects[number:]
        return subjects

    def _one_of(self, mention: Mention, token: int) -> Mention:
        """`two old men, one says "..."`: one of several, not all of them."""
        if len(mention.ids) < 2:
            return mention
        words = [self.page.key(at) for at in range(mention.end, token)]
        if any(starts_with(words[at:], "each_other") for at in range(len(words))):
            self.exchange = list(mention.ids)
            return Mention(mention.start, mention.end, mention.ids[:1])
        if any(word in word_list("other_of_two") for word in words):
            return Mention(mention.start, mention.end, mention.ids[1:2])
        if any(word in word_list("one_of_two") for word in words):
            return Mention(mention.start, mention.end, mention.ids[:1])
        return mention

    def _joined(self, mention: Mention, among: Sequence[Mention]) -> Mention:
        """`Luca and Alberto shout "..."`: both; told by `together` or a plural verb is beyond us, so by `and` alone."""
        number = list(among).index(mention)
        start, ids = mention.start, list(mention.ids)
        joiners = word_list("and_words")
        while number and start - among[number - 1].end == 1 and self.page.key(start - 1) in joiners:
            number -= 1
            start, ids = among[number].start, [*among[number].ids, *ids]
            joiners = joiners | {","}  # `Luca, Alberto and Giulia shout`
        return Mention(start, mention.end, tuple(dict.fromkeys(ids)))

    def _guess(self, quote: Quote, back: int) -> tuple[str, ...]:
        """Who may say a quote that nobody is given: the one it is not spoken to, the only one there, the last one."""
        earlier = [m for m in self.mentions if m.end <= quote.token]
        everyone = list(dict.fromkeys(i for m in self.mentions if m.kind != "voice" for i in m.ids))
        addressed = {
            m.id for m in self.vocabulary.find(tokenise(quote.text), self.page.language, READING) if m.subject == "cast"
        }
        others = [i for i in everyone if i not in addressed]
        if len(everyone) == 1 and not addressed & set(everyone):
            who = everyone[0]
        elif len(everyone) == 2 and len(others) == 1:
            who = others[0]
        elif (
            self.last
            and back == quote.token
            and self.page.quotes
            and len(everyone) > 1
            and not addressed & set(self.last)
        ):
            return self.last
        elif earlier and len(earlier[-1].ids) == 1:
            who = earlier[-1].ids[0]
        else:
            return ()
        self.notes.assume("speaker_guess", text=_short(quote.text), name=self.roster.name(who))
        return (who,)

    def _say(self, quote: Quote, who: tuple[str, ...], span: tuple[int, int], manner: str) -> None:
        text = " ".join(quote.text.split()) if "\n" in quote.text else quote.text
        if len(text) > MAX_LINE:
            text = text[:MAX_LINE].rsplit(" ", 1)[0] or text[:MAX_LINE]
            self.notes.assume("line_cut", count=MAX_LINE)
        emotion, delivery = self._manner(span, quote.token, manner)
        language = language_of_line(text, self.vocabulary, self.page.language)
        for id_ in who:
            line = Line(character=id_, text=text, emotion=emotion or "neutral", delivery=delivery, language=language)
            self.speech.lines.append(
                SpokenLine(
                    line,
                    quote.token,
                    emotion is not None,
                    is_off(self.page, id_ in self.roster.voices, quote.speaker, manner, span),
                )
            )
        self.last = who

    def _manner(self, span: tuple[int, int], token: int, manner: str) -> tuple[Emotion | None, Delivery]:
        """Emotion and loudness from the words of the attribution and of the brackets."""
        found = self.page.of("emotion", "delivery", start=span[0], end=span[1])
        found = [m for m in found if m.start != token]
        if self.page.tokens[token].text == LINE_MARK:
            end = self._manner_end(token, min(len(self.page.tokens), token + 6))
            found = self.page.of("emotion", "delivery", start=token, end=end)
        if manner:
            found += self.vocabulary.find(tokenise(manner), self.page.language, READING)
        emotions = [m.id for m in found if m.subject == "emotion"]
        deliveries = [m.id for m in found if m.subject == "delivery"]
        emotion: Emotion | None = emotions[-1] if emotions else None  # type: ignore[assignment]
        delivery: Delivery = deliveries[-1] if deliveries else "normal"  # type: ignore[assignment]
        return emotion, delivery


def read_speech(
    page: Page,
    mentions: Sequence[Mention],
    vocabulary: Vocabulary,
    roster: Roster,
    notes: Notes,
    speakers: Callable[[str], tuple[str, ...]],
) -> Speech:
    """Tell the quotes of a page apart and give each spoken one to who says it; no line is ever made up."""
    return _Reader(page, mentions, vocabulary, roster, notes, speakers).read()


def _names_film(page: Page, at: int) -> bool:
    """`titled "..."`, `a film called "..."`, `Title: "..."`, but not `add a title "..."` to a picture."""
    return page.key(at) in word_list("film_naming") or page.key(at + 1) in (":", "is")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57].rstrip() + "..."
