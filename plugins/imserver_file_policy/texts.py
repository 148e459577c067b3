"""What people are told about a file that is not taken, in five languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LANGUAGES: Final = ("en", "es", "pt", "de", "fr")
DEFAULT: Final = "en"

#: In the order of `LANGUAGES`: how the reasons below are told.
NOTICES: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "to_sender": (
        "Your file “{name}” was not accepted. {reason}",
        "Su archivo «{name}» no se ha aceptado. {reason}",
        "O seu ficheiro «{name}» não foi aceite. {reason}",
        "Ihre Datei „{name}“ wurde nicht angenommen. {reason}",
        "Votre fichier « {name} » n’a pas été accepté. {reason}",
    ),
    "to_agent": (
        "{client} wanted to send “{name}”, which was not accepted. {reason}",
        "{client} quiso enviar «{name}», que no se ha aceptado. {reason}",
        "{client} quis enviar «{name}», que não foi aceite. {reason}",
        "{client} wollte „{name}“ senden; die Datei wurde nicht angenommen. {reason}",
        "{client} a voulu envoyer « {name} », qui n’a pas été accepté. {reason}",
    ),
}

_ALLOWED: Final = (
    " The rule “{rule}” allows: {allowed}",
    " La regla «{rule}» permite: {allowed}",
    " A regra «{rule}» permite: {allowed}",
    " Die Regel „{rule}“ erlaubt: {allowed}",
    " La règle « {rule} » autorise : {allowed}",
)

#: In the order of `LANGUAGES`.
REASONS: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "no_rule": (
        "There is no rule that lets you upload files.",
        "Ninguna regla le permite subir archivos.",
        "Nenhuma regra lhe permite carregar ficheiros.",
        "Keine Regel erlaubt Ihnen, Dateien hochzuladen.",
        "Aucune règle ne vous permet d’envoyer des fichiers.",
    ),
    "extension": (
        "Files of the type .{extension} are not allowed.",
        "Los archivos .{extension} no están permitidos.",
        "Os ficheiros .{extension} não são permitidos.",
        "Dateien der Art .{extension} sind nicht erlaubt.",
        "Les fichiers .{extension} ne sont pas autorisés.",
    ),
    "no_extension": (
        "Its name has no extension.",
        "Su nombre no tiene extensión.",
        "O nome não tem extensão.",
        "Der Name hat keine Endung.",
        "Son nom n’a pas d’extension.",
    ),
    "hidden": (
        "Its name hides another extension: .{hidden}.",
        "Su nombre esconde otra extensión: .{hidden}.",
        "O nome esconde outra extensão: .{hidden}.",
        "Der Name verbirgt eine andere Endung: .{hidden}.",
        "Son nom cache une autre extension : .{hidden}.",
    ),
    "misleading": (
        "Its name looks as if it had another extension.",
        "Su nombre aparenta otra extensión.",
        "O nome aparenta outra extensão.",
        "Der Name täuscht eine andere Endung vor.",
        "Son nom fait croire à une autre extension.",
    ),
    "type": (
        "{type} is not allowed for .{extension}.",
        "{type} no está permitido para .{extension}.",
        "{type} não é permitido para .{extension}.",
        "{type} ist für .{extension} nicht erlaubt.",
        "{type} n’est pas autorisé pour .{extension}.",
    ),
    "content": (
        "It is not what its name says: .{extension}, but it holds {found}.",
        "No es lo que dice su nombre: .{extension}, pero contiene {found}.",
        "Não é o que o nome diz: .{extension}, mas contém {found}.",
        "Der Inhalt passt nicht zum Namen: .{extension}, aber darin ist {found}.",
        "Son contenu ne correspond pas à son nom : .{extension}, mais il contient {found}.",
    ),
    "too_large": (
        "The rule “{rule}” allows up to {max}.",
        "La regla «{rule}» permite hasta {max}.",
        "A regra «{rule}» permite até {max}.",
        "Die Regel „{rule}“ erlaubt höchstens {max}.",
        "La règle « {rule} » autorise jusqu’à {max}.",
    ),
    "largest": (
        "A file may have up to {max}.",
        "Un archivo puede tener hasta {max}.",
        "Um ficheiro pode ter até {max}.",
        "Eine Datei darf höchstens {max} haben.",
        "Un fichier peut avoir jusqu’à {max}.",
    ),
    "quota": (
        "There is no room for more files at the moment.",
        "En este momento no caben más archivos.",
        "Neste momento não há espaço para mais ficheiros.",
        "Zurzeit ist kein Platz für weitere Dateien.",
        "Il n’y a plus de place pour d’autres fichiers en ce moment.",
    ),
    "macros": (
        "It holds macros.",
        "Contiene macros.",
        "Contém macros.",
        "Sie enthält Makros.",
        "Il contient des macros.",
    ),
    "inside": (
        "The archive holds “{inside}”, which is not allowed.",
        "El archivo comprimido contiene «{inside}», que no está permitido.",
        "O arquivo comprimido contém «{inside}», que não é permitido.",
        "Das Archiv enthält „{inside}“, was nicht erlaubt ist.",
        "L’archive contient « {inside} », qui n’est pas autorisé.",
    ),
    "nested": (
        "The archive holds another archive: “{inside}”.",
        "El archivo comprimido contiene otro: «{inside}».",
        "O arquivo comprimido contém outro: «{inside}».",
        "Das Archiv enthält ein weiteres: „{inside}“.",
        "L’archive en contient une autre : « {inside} ».",
    ),
    "encrypted": (
        "The archive can’t be looked into: it needs a password.",
        "No se puede mirar en el archivo comprimido: necesita contraseña.",
        "Não se pode ver o arquivo comprimido: precisa de palavra-passe.",
        "In das Archiv kann niemand sehen: es braucht ein Passwort.",
        "On ne peut pas examiner l’archive : il faut un mot de passe.",
    ),
    "broken": (
        "The archive is damaged, or of an unusual kind.",
        "El archivo comprimido está dañado o es de un tipo inusual.",
        "O arquivo comprimido está danificado ou é de um tipo invulgar.",
        "Das Archiv ist beschädigt oder von ungewöhnlicher Art.",
        "L’archive est endommagée, ou d’un genre inhabituel.",
    ),
    "bomb": (
        "The archive holds too much: up to {entries} files and {bytes} are allowed.",
        "El archivo comprimido contiene demasiado: se permiten {entries} archivos y {bytes}.",
        "O arquivo comprimido contém demasiado: são permitidos {entries} ficheiros e {bytes}.",
        "Das Archiv enthält zu viel: erlaubt sind {entries} Dateien und {bytes}.",
        "L’archive contient trop : {entries} fichiers et {bytes} sont autorisés.",
    ),
    "virus": (
        "A virus was found in it: {signature}.",
        "Se ha encontrado un virus: {signature}.",
        "Foi encontrado um vírus: {signature}.",
        "Darin wurde ein Virus gefunden: {signature}.",
        "Un virus y a été trouvé : {signature}.",
    ),
    "scan_failed": (
        "It could not be checked for viruses; please try again later.",
        "No se ha podido comprobar si tiene virus; inténtelo más tarde.",
        "Não foi possível verificar se tem vírus; tente mais tarde.",
        "Sie konnte nicht auf Viren geprüft werden; bitte versuchen Sie es später.",
        "On n’a pas pu y chercher des virus ; réessayez plus tard.",
    ),
    "not_inspected": (
        "It could not be looked at; please try again later.",
        "No se ha podido examinar; inténtelo más tarde.",
        "Não foi possível examiná-lo; tente mais tarde.",
        "Sie konnte nicht geprüft werden; bitte versuchen Sie es später.",
        "On n’a pas pu l’examiner ; réessayez plus tard.",
    ),
    "foreign_link": (
        "Links to files elsewhere are not allowed: upload the file here.",
        "No se permiten enlaces a archivos de otros sitios: súbalo aquí.",
        "Não são permitidas ligações para ficheiros de outros sítios: carregue-o aqui.",
        "Links auf Dateien anderswo sind nicht erlaubt: laden Sie die Datei hier hoch.",
        "Les liens vers des fichiers d’ailleurs ne sont pas autorisés : envoyez-le ici.",
    ),
    "other": ("{text}",) * 5,
}

#: Those that are better understood with the list of what is allowed.
LISTED: Final = frozenset(
    ("extension", "no_extension", "hidden", "misleading", "type", "content", "inside", "nested")
)

UNITS: Final = ("bytes", "KiB", "MiB", "GiB")


def language(wanted: str) -> str:
    """Find the language that is nearest to the one wanted: `es` for `es-MX`, English for what is unknown."""
    short = wanted.replace("_", "-").partition("-")[0].casefold()
    return short if short in LANGUAGES else DEFAULT


def reason(key: str, lang: str, /, **values: Any) -> str:
    """Say why."""
    index = LANGUAGES.index(language(lang))
    listed = _ALLOWED[index] if key in LISTED and "allowed" in values else ""
    return (REASONS[key][index] + listed).format(**values)


def notice(key: str, lang: str, /, **values: Any) -> str:
    """Say what has become of the file."""
    return NOTICES[key][LANGUAGES.index(language(lang))].format(**values)


def size(count: int) -> str:
    """Write a number of bytes as people do: `10 MiB`."""
    step = 0
    while count >= 1024 ** (step + 1) and step < len(UNITS) - 1:
        step += 1
    return f"{count / 1024**step:.1f}".removesuffix(".0") + f" {UNITS[step]}"
