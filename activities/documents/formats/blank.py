"""A DOCX of nothing but a text, for a document that came as something else: a paragraph for each of its lines."""

import io

from docx import Document
from lxml import etree

from activities.documents.formats.docx import w
from activities.documents.marking import run


def document(text: str) -> bytes:
    made = Document()
    end = made.element.body[-1]
    for line in text.split("\n"):
        paragraph = etree.Element(w("p"))
        if line:
            paragraph.append(run(line, None))
        end.addprevious(paragraph)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()
