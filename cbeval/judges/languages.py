# ruff: noqa: E501 - a language's small words on one line each
"""Which language a stretch of text is in, as far as the harness must know: English, another one, or none.

Only small words and scripts are looked at. That is enough to keep English tables away from a French answer.
"""

import unicodedata
from collections.abc import Sequence

_ENGLISH_WORDS = """
the of and to a in is that it for on with as you are be this was or an by not from can have at which they i
he she but if their will has more other what when one do your there all these we would so who its any than
been into may how some no such only my should then also about up out could me his her them our us were had
"""
ENGLISH = frozenset(_ENGLISH_WORDS.split())
"""Common small words of English."""

_OTHER_LANGUAGES = tuple(
    frozenset(words.split())
    for words in (
        "el la los las de del que en un una es por con para se no su al lo como más pero este esta son tus puede y o si mi",
        "le la les de des du et un une est que qui dans pour pas sur avec ce cette il elle vous nous je sont au aux en plus ou ne se",
        "der die das und ist ein eine einen nicht mit von zu den dem des auf für sie es im in werden wird sich auch als wie oder man ich",
        "il lo la gli le di che un una è per non con in del della dei si da sono come più al nel anche questo questa e o se",
        "o a os as de do da dos das que em um uma é para com não por se mais como no na ao sua seu são este esta e ou",
        "de het een en van is in op te dat niet met voor zijn aan er die om ook als maar dan naar je u bij of wordt worden",
        "och att det som en är på för av med den till inte ett om har de kan du jag men eller från i man så vid här din",
        "og det er at en på for av med den til ikke som et om har de kan du jeg men eller fra i man så ved der din vi",
        "i w na z do się nie jest to że jak o co dla po ale lub za od są przez być ma tym oraz może tego który które",
        "a je v na se že s do to pro jako za by ale nebo jsou po od jste tak který které být má z o i k při aby",
        "ve bir bu için ile de da ne olarak çok gibi daha en olan var değil ya ki veya sonra kadar her ben sen o mi",
        "yang dan di untuk dengan ini itu dari pada tidak ke adalah anda akan atau dalam bisa oleh juga saya dapat ada",
        "în și de la cu pe nu o un este care din pentru mai sau se ce să sunt prin al ale fi dar cum acest",
        "ja on ei se että en oli mutta tai kun niin myös joka ovat kuin voi hän minä sinä tämä sekä jos ole vain",
        "và là của có trong cho không với các được một này để khi người những đã bạn từ hoặc thể như về tôi",
        "és a az hogy nem egy is van de ez meg csak vagy ha mint el már ki még azt kell lesz ön mert",
    )
)
"""Common small words of other languages in Latin letters: where they are many, English tables say nothing."""


def script(char: str) -> str:
    """LATIN, CYRILLIC, ARABIC, ...; the scripts that Chinese, Japanese and Korean texts mix are all CJK."""
    if char < "\u0250":
        return "LATIN"
    name = unicodedata.name(char, "UNKNOWN").split(" ", 1)[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL") else name


def other_language(tokens: Sequence[str]) -> bool:
    """Whether a window is mostly text in another language than English, as far as small words and scripts can tell."""
    words = [token.lower() for token in tokens if (len(token) > 1 and token[0].isalpha()) or not token.isascii()]
    words = [word for word in words if word[0].isalpha()]
    if len(words) < 5:
        return False
    scripts = [script(word[0]) for word in words]
    commonest = max(set(scripts), key=lambda name: (scripts.count(name), name))
    if commonest != "LATIN":
        return scripts.count(commonest) >= 0.65 * len(words)
    if sum(not word.isascii() for word in words) >= 0.15 * len(words) and scripts.count("LATIN") >= 0.95 * len(words):
        return True
    english = sum(word in ENGLISH for word in words)
    small = [[word for word in words if word in language] for language in _OTHER_LANGUAGES]
    best = max(small, key=len)
    return len(best) >= 0.17 * len(words) and len(set(best)) >= min(3, len(words) // 4) and len(best) > 1.5 * english
