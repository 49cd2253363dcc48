"""What columns are called in the files of this world: texts, labels, and what is neither."""

import re
from collections.abc import Sequence

_URLS = re.compile(r"(https?://|www\.)\S+")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")
# Longer ones are sentences.
_LONGEST_NAME = 40
_MOST_WORDS = 4


def plain(name: str) -> str:
    """Bring a name into the form that the lists have."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _names(words: str) -> frozenset[str]:
    return frozenset(map(plain, words.split()))


TITLES = _names(
    """title headline subject subjectline heading titel überschrift betreff titre sujet objet título titulo asunto
    titular 标题 題目 题目 主题 件名 タイトル"""
)
BODIES = _names(
    """text texts sentence sentences review reviews reviewtext reviewbody comment comments commenttext body content
    contents message messages messagetext tweet tweettext document doc post posttext article articletext
    description utterance question questiontext query passage paragraph snippet phrase sms email emailtext mail
    mailtext transcript narrative abstract feedback rawtext cleantext fulltext verbatim statement
    satz kommentar nachricht inhalt beschreibung rezension frage beitrag anliegen meldung
    texte commentaire avis contenu corps
    texto frase comentario reseña resena mensaje contenido cuerpo opinión opinion descripción descripcion pregunta
    文本 内容 評論 评论 正文 句子 评价 評價 留言 消息 文章 问题 描述 微博 弹幕 原文 コメント 本文 レビュー 文"""
)
LABELS = _names(
    """label labels class classes target targets labelname classname 标签 類別 类别 分类 étiquette etiqueta klasse
    classe clase"""
)
WEAKER_LABELS = _names(
    """category categories categoryname sentiment tag tags topic topics intent rating ratings stars star polarity y
    emotion emotions genre group department product priority score outcome overall sentimentlabel spam toxic
    kategorie etikett stimmung thema sterne bewertung schlagwort abteilung
    etiquette catégorie categorie thème theme note étoiles
    categoría categoria sentimiento tema polaridad puntuación
    情感 类型 星级 评分 标注 情绪 類型 意图 ラベル カテゴリ 感情"""
)
TIMES = _names(
    """time times timestamp timestamps datetime date t ts seconds secs ms millis milliseconds nanoseconds step timestep
    steps frame tick zeit zeitstempel temps horodatage tiempo fecha 时间 時間 时间戳"""
)
IDS = _names(
    """id ids idx index uid uuid guid key nr no num number row rowid rowno unnamed0 pk hash
    编号 序号 番号 nummer numéro numero número"""
)


def is_id(name: str) -> bool:
    """Whether a name is one of numbers that count rows, and so neither text nor label."""
    return plain(name) in IDS or re.search(r"(^|[_\s-])(id|ID)$|[a-z]I[dD]$", name.strip()) is not None


def is_known(fields: Sequence[str]) -> bool:
    """Whether a first row has a name of a text or of a label, and nothing that a name cannot be."""
    known = TITLES | BODIES | LABELS | WEAKER_LABELS
    return len(fields) > 1 and all(map(_could_be_a_name, fields)) and any(plain(field) in known for field in fields)


def looks_like_header(first: Sequence[str], rows: Sequence[Sequence[str]], wanted: Sequence[str]) -> bool:
    """Decide whether the first row names the columns, by comparing it with the rows after it.

    It does if the user asks for a column of that name. It does not if a field of it is no name: a sentence, a number,
    or a label that comes again. Otherwise it does if it has a well-known name, or if a column is of numbers, or of few
    different values, everywhere but there.

    Args:
        first: fields of the first row.
        rows: some rows after it.
        wanted: names that the user asks for.
    """
    names = [name.strip() for name in first]
    if any(name in wanted and not name.isdecimal() for name in names):
        return True
    if not all(map(_could_be_a_name, names)) or not any(names):
        return False
    columns = [[row[index].strip() for row in rows] for index in range(len(names))]
    if any(name and name in column for name, column in zip(names, columns, strict=True)):
        return False
    if is_known(names) or (len(names) == 1 and plain(names[0]) in BODIES) or not rows:
        return True
    for column in columns:
        filled = [value for value in column if value]
        if filled and all(map(NUMBER.fullmatch, filled)):
            return True
        # Each value comes at least three times on average, and none but the name comes once.
        different = set(filled)
        if len(different) * 3 <= len(filled) and all(filled.count(value) > 1 for value in different):
            return True
    return False


def _could_be_a_name(field: str) -> bool:
    name = field.strip()
    return not (
        len(name) > _LONGEST_NAME
        or len(name.split()) > _MOST_WORDS
        or "\n" in name
        or name.endswith((".", "!", "。", "！"))
        or NUMBER.fullmatch(name)
        or _URLS.match(name)
    )
