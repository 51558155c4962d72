"""Points found by the letters of their names: 'lk' is the left knee."""

from collections.abc import Collection

from limbstudio.domain.anatomy import LDPOSE
from limbstudio.ui.words import tr


def matching_points(text: str, indices: Collection[int]) -> list[int]:
    """Return the points whose name the typed letters begin, word by word, the best first.

    'lk', 'le kn' and 'left knee' all find the left knee, 'kn' both knees. Points of which every word was begun come
    first, then those with fewer words.
    """
    letters = "".join(text.lower().split())
    found = []
    for place, index in enumerate(indices):
        label = LDPOSE[index].label
        for name in dict.fromkeys((tr(label), label)):  # in another language the English names find it too
            words = name.lower().replace("-", " ").split()
            begun = _most_words_begun(letters, words)
            if begun is not None:
                found.append((len(words) - begun, len(words), place, index))
                break
    return [index for *_, index in sorted(found)]


def _most_words_begun(letters: str, words: list[str]) -> int | None:
    """Return in how many words the letters can be spent, in order, each at the word's beginning; None for no way."""
    if not letters:
        return 0
    if not words:
        return None
    best = _most_words_begun(letters, words[1:])
    for length in range(1, len(words[0]) + 1):
        if letters[:length] != words[0][:length]:
            break
        rest = _most_words_begun(letters[length:], words[1:])
        if rest is not None and (best is None or rest + 1 > best):
            best = rest + 1
    return best
