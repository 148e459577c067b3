"""What is said around the words of others, in the order of `LANGUAGES`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from imserver_whatsapp.languages import Phrase, pick

TEXTS: Final[Mapping[str, Phrase]] = {
    # Before what somebody wrote
    "forwarded": ("Forwarded", "Reenviado", "Reencaminhada", "Weitergeleitet", "Transféré"),
    "often_forwarded": (
        "Forwarded many times",
        "Reenviado muchas veces",
        "Reencaminhada muitas vezes",
        "Oft weitergeleitet",
        "Transféré de nombreuses fois",
    ),
    "referral": (
        "Came by: {what}",
        "Viene de: {what}",
        "Veio de: {what}",
        "Kommt über: {what}",
        "Vient de : {what}",
    ),
    "product": (
        "About the product {what}",
        "Sobre el producto {what}",
        "Sobre o produto {what}",
        "Zum Produkt {what}",
        "À propos du produit {what}",
    ),
    # In place of it
    "order": ("Order", "Pedido", "Encomenda", "Bestellung", "Commande"),
    "reply_elsewhere": (
        "(answers a message that is not here)",
        "(responde a un mensaje que no está aquí)",
        "(responde a uma mensagem que não está aqui)",
        "(antwortet auf eine Nachricht, die nicht hier ist)",
        "(répond à un message qui n’est pas ici)",
    ),
    "reacted": (
        "Reacted {what} to: {quote}",
        "Reaccionó {what} a: {quote}",
        "Reagiu {what} a: {quote}",
        "Reagierte mit {what} auf: {quote}",
        "A réagi {what} à : {quote}",
    ),
    "reacted_elsewhere": (
        "Reacted {what} to a message that is not here",
        "Reaccionó {what} a un mensaje que no está aquí",
        "Reagiu {what} a uma mensagem que não está aqui",
        "Reagierte mit {what} auf eine Nachricht, die nicht hier ist",
        "A réagi {what} à un message qui n’est pas ici",
    ),
    "edited": (
        "Edited: {what}",
        "Editado: {what}",
        "Editada: {what}",
        "Bearbeitet: {what}",
        "Modifié : {what}",
    ),
    "revoked": (
        "The client has deleted a message.",
        "El cliente ha eliminado un mensaje.",
        "O cliente apagou uma mensagem.",
        "Der Kunde hat eine Nachricht gelöscht.",
        "Le client a supprimé un message.",
    ),
    "retraction": (
        "/me deleted an earlier message, but your program does not support that.",
        "/me eliminó un mensaje anterior, pero su programa no lo admite.",
        "/me apagou uma mensagem anterior, mas o seu programa não o permite.",
        "/me hat eine frühere Nachricht gelöscht, was Ihr Programm nicht anzeigen kann.",
        "/me a supprimé un message précédent, ce que votre programme ne sait pas montrer.",
    ),
    "unknown": (
        "[The client sent something that can’t be shown here: {what}]",
        "[El cliente envió algo que no se puede mostrar aquí: {what}]",
        "[O cliente enviou algo que não pode ser mostrado aqui: {what}]",
        "[Der Kunde hat etwas gesendet, das hier nicht gezeigt werden kann: {what}]",
        "[Le client a envoyé quelque chose qui ne peut pas être affiché ici : {what}]",
    ),
    "no_file": (
        "[The client sent a file that could not be fetched: {what}]",
        "[El cliente envió un archivo que no se pudo obtener: {what}]",
        "[O cliente enviou um ficheiro que não foi possível obter: {what}]",
        "[Der Kunde hat eine Datei gesendet, die nicht abgeholt werden konnte: {what}]",
        "[Le client a envoyé un fichier qui n’a pas pu être récupéré : {what}]",
    ),
    # About somebody
    "user_changed_number": (
        "The client has a new phone number: {what}",
        "El cliente tiene un número de teléfono nuevo: {what}",
        "O cliente tem um novo número de telefone: {what}",
        "Der Kunde hat eine neue Telefonnummer: {what}",
        "Le client a un nouveau numéro de téléphone : {what}",
    ),
    "customer_identity_changed": (
        "The client uses WhatsApp on another phone now; please make sure who it is.",
        "El cliente usa ahora WhatsApp en otro teléfono; asegúrese de quién es.",
        "O cliente usa agora o WhatsApp noutro telefone; confirme quem é.",
        "Der Kunde verwendet WhatsApp jetzt auf einem anderen Telefon; vergewissern Sie sich, wer es ist.",
        "Le client utilise maintenant WhatsApp sur un autre téléphone ; assurez-vous de son identité.",
    ),
    "somebody_else": (
        "The number {what} belonged to another client before: this may be somebody else.",
        "El número {what} era antes de otro cliente: puede que sea otra persona.",
        "O número {what} era antes de outro cliente: pode ser outra pessoa.",
        "Die Nummer {what} gehörte vorher einem anderen Kunden: das kann jemand anderes sein.",
        "Le numéro {what} appartenait auparavant à un autre client : c’est peut-être quelqu’un d’autre.",
    ),
    "recovered": (
        "It did get there after all.",
        "Finalmente sí llegó.",
        "Afinal chegou.",
        "Sie ist doch angekommen.",
        "Il est finalement arrivé.",
    ),
    # What can't be sent
    "no_retraction": (
        "WhatsApp does not let us delete what was sent.",
        "WhatsApp no permite eliminar lo enviado.",
        "O WhatsApp não permite apagar o que foi enviado.",
        "WhatsApp lässt uns Gesendetes nicht löschen.",
        "WhatsApp ne permet pas de supprimer ce qui a été envoyé.",
    ),
    "not_theirs": (
        "The message is not one that WhatsApp knows.",
        "WhatsApp no conoce ese mensaje.",
        "O WhatsApp não conhece essa mensagem.",
        "Diese Nachricht kennt WhatsApp nicht.",
        "WhatsApp ne connaît pas ce message.",
    ),
    "parts": (
        "That would be {count} messages at once; up to {max} are sent.",
        "Serían {count} mensajes a la vez; se envían hasta {max}.",
        "Seriam {count} mensagens de uma vez; enviam-se até {max}.",
        "Das wären {count} Nachrichten auf einmal; gesendet werden höchstens {max}.",
        "Cela ferait {count} messages à la fois ; {max} au plus sont envoyés.",
    ),
    "file_type": (
        "WhatsApp does not take files of the type {type}. It takes: {allowed}",
        "WhatsApp no admite archivos del tipo {type}. Admite: {allowed}",
        "O WhatsApp não aceita ficheiros do tipo {type}. Aceita: {allowed}",
        "WhatsApp nimmt keine Dateien der Art {type}. Es nimmt: {allowed}",
        "WhatsApp n’accepte pas les fichiers de type {type}. Il accepte : {allowed}",
    ),
    "file_size": (
        "The rule “{kind}” of WhatsApp allows up to {max}; the file has {size}.",
        "La regla «{kind}» de WhatsApp permite hasta {max}; el archivo tiene {size}.",
        "A regra «{kind}» do WhatsApp permite até {max}; o ficheiro tem {size}.",
        "Die Regel „{kind}“ von WhatsApp erlaubt höchstens {max}; die Datei hat {size}.",
        "La règle « {kind} » de WhatsApp autorise jusqu’à {max} ; le fichier fait {size}.",
    ),
    # Templates
    "no_template": (
        "There is no approved template “{name}”. There are: {known}",
        "No hay ninguna plantilla aprobada «{name}». Hay: {known}",
        "Não há nenhum modelo aprovado «{name}». Há: {known}",
        "Es gibt keine genehmigte Vorlage „{name}“. Es gibt: {known}",
        "Il n’y a pas de modèle approuvé « {name} ». Il y a : {known}",
    ),
    "no_templates": (
        "There are no approved templates.",
        "No hay plantillas aprobadas.",
        "Não há modelos aprovados.",
        "Es gibt keine genehmigten Vorlagen.",
        "Il n’y a pas de modèles approuvés.",
    ),
    "template_missing": (
        "Missing: {names}. Write: {usage}",
        "Falta: {names}. Escriba: {usage}",
        "Falta: {names}. Escreva: {usage}",
        "Es fehlt: {names}. Schreiben Sie: {usage}",
        "Il manque : {names}. Écrivez : {usage}",
    ),
    "template_strange": (
        "The template has no {names}. Write: {usage}",
        "La plantilla no tiene {names}. Escriba: {usage}",
        "O modelo não tem {names}. Escreva: {usage}",
        "Die Vorlage hat kein {names}. Schreiben Sie: {usage}",
        "Le modèle n’a pas de {names}. Écrivez : {usage}",
    ),
    "template_no_link": (
        "{names} has to be a link (https://…).",
        "{names} debe ser un enlace (https://…).",
        "{names} tem de ser uma ligação (https://…).",
        "{names} muss ein Link sein (https://…).",
        "{names} doit être un lien (https://…).",
    ),
    "template_unreadable": (
        "That can’t be read: {what}. Write name=value, or name='several words'.",
        "Eso no se entiende: {what}. Escriba nombre=valor, o nombre='varias palabras'.",
        "Isso não se entende: {what}. Escreva nome=valor, ou nome='várias palavras'.",
        "Das ist nicht lesbar: {what}. Schreiben Sie name=Wert oder name='mehrere Wörter'.",
        "C’est illisible : {what}. Écrivez nom=valeur, ou nom='plusieurs mots'.",
    ),
}


def say(key: str, lang: str, /, **values: Any) -> str:
    """Say it in a language."""
    return pick(TEXTS[key], lang).format(**values)


def size(count: int) -> str:
    """Write a number of bytes as people do: `16 MB`."""
    unit, name = next(((unit, name) for unit, name in _UNITS if count >= unit), (1, "B"))
    return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"


_UNITS: Final = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"))
