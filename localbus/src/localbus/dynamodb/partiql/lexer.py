"""The tokens of a PartiQL statement."""

from __future__ import annotations

import re
from typing import NamedTuple

from localbus.dynamodb.errors import invalid
from localbus.errors import AwsError

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|--[^\n]*|/\*.*?\*/)
    |(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<string>'(?:[^']|'')*')
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<symbol><<|>>|<>|!=|<=|>=|\|\||[=<>()\[\]{},.:*+\-/%?;])""",
    re.DOTALL | re.VERBOSE,
)
# Words that only are names in quotes, https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
_KEYWORDS = """
ABSOLUTE ACTION ADD ALL ALLOCATE ALTER AND ANY ARE AS ASC ASSERTION AT AUTHORIZATION AVG BAG BEGIN BETWEEN BIT
BIT_LENGTH BLOB BOOLEAN BY CASCADE CASCADED CASE CAST CATALOG CHAR CHARACTER CHARACTER_LENGTH CHAR_LENGTH CHECK CLOB
CLOSE COALESCE COLLATE COLLATION COLUMN COMMIT CONFLICT CONNECT CONNECTION CONSTRAINT CONSTRAINTS CONTINUE CONVERT
CORRESPONDING COUNT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATE DATE_ADD
DATE_DIFF DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFERRABLE DEFERRED DELETE DESC DESCRIBE DESCRIPTOR DIAGNOSTICS
DISCONNECT DISTINCT DO DOMAIN DOUBLE DROP ELSE END ESCAPE EXCEPT EXCEPTION EXEC EXECUTE EXISTS EXTERNAL EXTRACT FALSE
FETCH FIRST FLOAT FOR FOREIGN FOUND FROM FULL GET GLOBAL GO GOTO GRANT GROUP HAVING IDENTITY IMMEDIATE IN INDEX
INDICATOR INITIALLY INNER INPUT INSENSITIVE INSERT INT INTEGER INTERSECT INTERVAL INTO IS ISOLATION JOIN KEY LANGUAGE
LAST LEFT LET LEVEL LIKE LIMIT LIST LOCAL LOWER MATCH MAX MIN MISSING MODIFIED MODULE NAMES NATIONAL NATURAL NCHAR NEW
NEXT NO NOT NOTHING NULL NULLIF NUMERIC OF OLD ON ONLY OPEN OPTION OR ORDER OUTER OUTPUT OVERLAPS PAD PARTIAL PIVOT
POSITION PRECISION PREPARE PRESERVE PRIMARY PRIOR PRIVILEGES PROCEDURE PUBLIC READ REAL REFERENCES RELATIVE REMOVE
RESTRICT RETURNING REVOKE RIGHT ROLLBACK ROWS SCHEMA SCROLL SECTION SELECT SESSION SESSION_USER SET SEXP SIZE SMALLINT
SOME SPACE SQL SQLCODE SQLERROR SQLSTATE STRING STRUCT SUBSTRING SUM SYMBOL SYSTEM_USER TABLE TEMPORARY THEN TIME
TIMESTAMP TO TRANSACTION TRANSLATE TRANSLATION TRIM TRUE TUPLE UNION UNIQUE UNKNOWN UNPIVOT UPDATE UPPER USAGE USER
USING VALUE VALUES VARCHAR VARYING VIEW WHEN WHENEVER WHERE WITH WORK WRITE ZONE
"""
KEYWORDS = frozenset(_KEYWORDS.split())
END = "<EOF>"


class Token(NamedTuple):
    """A token. Its kind is name, string, number, a keyword in capitals, a symbol or END; the text is the value."""

    kind: str
    text: str


class Tokens:
    """A reader of one statement's tokens. Names and strings come without their quotes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens: list[Token] = []
        at = 0
        while found := _TOKEN.match(text, at):
            at = found.end()
            kind, word = str(found.lastgroup), found.group()
            if kind == "symbol":
                self._tokens.append(Token(word, word))
            elif kind == "name" and word.upper() in KEYWORDS:
                self._tokens.append(Token(word.upper(), word))
            elif kind == "quoted":
                self._tokens.append(Token("name", word[1:-1].replace('""', '"')))
            elif kind == "string":
                self._tokens.append(Token("string", word[1:-1].replace("''", "'")))
            elif kind != "space":
                self._tokens.append(Token(kind, word))
        self._tokens.append(Token(END, END))
        self._at = 0
        if at < len(text):
            raise self.error()

    @property
    def kind(self) -> str:
        """The kind of the next token."""
        return self._tokens[self._at].kind

    def following(self) -> str:
        """Return the kind of the token after the next one."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)].kind

    def accept(self, *kinds: str) -> bool:
        """Consume the next tokens if they are of these kinds."""
        if [token.kind for token in self._tokens[self._at : self._at + len(kinds)]] != list(kinds):
            return False
        self._at += len(kinds)
        return True

    def expect(self, *kinds: str) -> str:
        """Consume the next token, which must be of one of these kinds, and return its text."""
        token = self._tokens[self._at]
        if token.kind not in kinds:
            raise self.error()
        self._at += 1
        return token.text

    def error(self) -> AwsError:
        """Return the error for a statement that is not well formed."""
        return invalid(f"Statement wasn't well formed, can't be processed: {self.text}")
