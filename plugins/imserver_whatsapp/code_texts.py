"""What agents are told of a message that did not get there, and what they can do, in the order of `LANGUAGES`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from imserver_whatsapp.languages import Phrase

WHY: Final[Mapping[str, Phrase]] = {
    "channel_down": (
        "WhatsApp is not connected at the moment: the access was withdrawn or has expired.",
        "WhatsApp no está conectado en este momento: el acceso fue retirado o ha caducado.",
        "O WhatsApp não está ligado neste momento: o acesso foi retirado ou expirou.",
        "WhatsApp ist zurzeit nicht verbunden: der Zugang wurde entzogen oder ist abgelaufen.",
        "WhatsApp n’est pas connecté pour le moment : l’accès a été retiré ou a expiré.",
    ),
    "account_locked": (
        "WhatsApp has locked this business account.",
        "WhatsApp ha bloqueado esta cuenta de empresa.",
        "O WhatsApp bloqueou esta conta empresarial.",
        "WhatsApp hat dieses Unternehmenskonto gesperrt.",
        "WhatsApp a verrouillé ce compte professionnel.",
    ),
    "too_much": (
        "Too many messages are being sent to WhatsApp at the moment.",
        "En este momento se envían demasiados mensajes a WhatsApp.",
        "Neste momento estão a ser enviadas demasiadas mensagens ao WhatsApp.",
        "Zurzeit werden zu viele Nachrichten an WhatsApp gesendet.",
        "Trop de messages sont envoyés à WhatsApp en ce moment.",
    ),
    "pair": (
        "This client was sent too many messages in a short time.",
        "A este cliente se le enviaron demasiados mensajes en poco tiempo.",
        "Foram enviadas a este cliente demasiadas mensagens em pouco tempo.",
        "Diesem Kunden wurden in kurzer Zeit zu viele Nachrichten gesendet.",
        "Trop de messages ont été envoyés à ce client en peu de temps.",
    ),
    "held_back": (
        "WhatsApp held this message back to protect the client from too many of them.",
        "WhatsApp retuvo este mensaje para proteger al cliente de un exceso de ellos.",
        "O WhatsApp reteve esta mensagem para proteger o cliente de mensagens a mais.",
        "WhatsApp hat diese Nachricht zurückgehalten, um den Kunden vor zu vielen zu schützen.",
        "WhatsApp a retenu ce message pour protéger le client d’un trop grand nombre d’envois.",
    ),
    "opted_out": (
        "This client does not want such messages from us.",
        "Este cliente no desea recibir este tipo de mensajes nuestros.",
        "Este cliente não quer receber este tipo de mensagens nossas.",
        "Dieser Kunde möchte solche Nachrichten von uns nicht.",
        "Ce client ne souhaite pas recevoir ce genre de messages de notre part.",
    ),
    "trouble": (
        "WhatsApp had a problem, several times over.",
        "WhatsApp tuvo un problema, varias veces seguidas.",
        "O WhatsApp teve um problema, várias vezes seguidas.",
        "Bei WhatsApp gab es mehrmals hintereinander ein Problem.",
        "WhatsApp a rencontré un problème, à plusieurs reprises.",
    ),
    "parameter": (
        "WhatsApp did not accept this message as it is.",
        "WhatsApp no aceptó este mensaje tal como está.",
        "O WhatsApp não aceitou esta mensagem tal como está.",
        "WhatsApp hat diese Nachricht so nicht angenommen.",
        "WhatsApp n’a pas accepté ce message tel quel.",
    ),
    "undeliverable": (
        "It can’t be delivered: the number is not on WhatsApp, the app is too old, or its terms were not accepted.",
        "No se puede entregar: el número no está en WhatsApp, la "
        "aplicación es antigua o no se aceptaron sus condiciones.",
        "Não pode ser entregue: o número não está no WhatsApp, a aplicação é antiga ou os termos não foram aceites.",
        "Nicht zustellbar: die Nummer ist nicht bei WhatsApp, die App ist zu "
        "alt, oder ihre Bedingungen wurden nicht angenommen.",
        "Impossible à remettre : le numéro n’est pas sur WhatsApp, l’application est "
        "trop ancienne ou ses conditions n’ont pas été acceptées.",
    ),
    "not_listed": (
        "This number is not on the list of those that a test account may write to.",
        "Este número no está en la lista de los que admite una cuenta de prueba.",
        "Este número não está na lista dos que uma conta de teste pode contactar.",
        "Diese Nummer steht nicht auf der Liste derer, denen ein Testkonto schreiben darf.",
        "Ce numéro n’est pas dans la liste de ceux auxquels un compte d’essai peut écrire.",
    ),
    "window_closed": (
        "Not delivered: the client last wrote more than 24 hours ago, "
        "and WhatsApp takes only approved templates then.",
        "No entregado: el cliente escribió por última vez hace más de 24 horas, "
        "y WhatsApp solo admite entonces plantillas aprobadas.",
        "Não entregue: o cliente escreveu pela última vez há mais de 24 "
        "horas, e o WhatsApp só aceita então modelos aprovados.",
        "Nicht zugestellt: der Kunde schrieb zuletzt vor mehr als 24 "
        "Stunden; dann nimmt WhatsApp nur genehmigte Vorlagen an.",
        "Non remis : le client a écrit pour la dernière fois il y a plus de 24 "
        "heures, et WhatsApp n’accepte alors que des modèles approuvés.",
    ),
    "not_shown": (
        "The client sent something that WhatsApp does not pass on.",
        "El cliente envió algo que WhatsApp no transmite.",
        "O cliente enviou algo que o WhatsApp não transmite.",
        "Der Kunde hat etwas gesendet, das WhatsApp nicht weitergibt.",
        "Le client a envoyé quelque chose que WhatsApp ne transmet pas.",
    ),
    "media_in": (
        "The client’s file could not be fetched.",
        "No se pudo obtener el archivo del cliente.",
        "Não foi possível obter o ficheiro do cliente.",
        "Die Datei des Kunden konnte nicht abgeholt werden.",
        "Le fichier du client n’a pas pu être récupéré.",
    ),
    "media_out": (
        "WhatsApp did not take the file: it is too large, or not of a type that it allows.",
        "WhatsApp no admitió el archivo: es demasiado grande o de un tipo no permitido.",
        "O WhatsApp não aceitou o ficheiro: é demasiado grande ou de um tipo não permitido.",
        "WhatsApp hat die Datei nicht angenommen: sie ist zu groß oder von einer Art, die nicht erlaubt ist.",
        "WhatsApp n’a pas accepté le fichier : il est trop volumineux ou d’un type non autorisé.",
    ),
    "blocked": (
        "This client has blocked us, or was blocked.",
        "Este cliente nos ha bloqueado, o fue bloqueado.",
        "Este cliente bloqueou-nos, ou foi bloqueado.",
        "Dieser Kunde hat uns blockiert oder wurde blockiert.",
        "Ce client nous a bloqués, ou a été bloqué.",
    ),
    "country": (
        "WhatsApp does not let us write to clients in this country.",
        "WhatsApp no nos permite escribir a clientes de este país.",
        "O WhatsApp não nos deixa escrever a clientes deste país.",
        "WhatsApp lässt uns Kunden in diesem Land nicht schreiben.",
        "WhatsApp ne nous permet pas d’écrire aux clients de ce pays.",
    ),
    "payment": (
        "WhatsApp wants to be paid first.",
        "WhatsApp exige antes el pago.",
        "O WhatsApp exige primeiro o pagamento.",
        "WhatsApp verlangt zuerst eine Zahlung.",
        "WhatsApp exige d’abord un paiement.",
    ),
    "template": (
        "WhatsApp did not accept the template: it was changed, paused or withdrawn, or its values do not fit.",
        "WhatsApp no aceptó la plantilla: fue modificada, pausada o retirada, o sus valores no encajan.",
        "O WhatsApp não aceitou o modelo: foi alterado, suspenso ou retirado, ou os valores não servem.",
        "WhatsApp hat die Vorlage nicht angenommen: sie wurde geändert, "
        "angehalten oder zurückgezogen, oder die Werte passen nicht.",
        "WhatsApp n’a pas accepté le modèle : il a été modifié, suspendu "
        "ou retiré, ou ses valeurs ne conviennent pas.",
    ),
    "unregistered": (
        "Our number is not registered with WhatsApp.",
        "Nuestro número no está registrado en WhatsApp.",
        "O nosso número não está registado no WhatsApp.",
        "Unsere Nummer ist bei WhatsApp nicht registriert.",
        "Notre numéro n’est pas enregistré auprès de WhatsApp.",
    ),
    "no_phone": (
        "WhatsApp sends messages of this kind only to a phone number, and this client’s is not known.",
        "WhatsApp solo envía mensajes de este tipo a un número de teléfono, y el de este cliente no se conoce.",
        "O WhatsApp só envia mensagens deste tipo para um número de telefone, e o deste cliente não é conhecido.",
        "Solche Nachrichten sendet WhatsApp nur an eine Telefonnummer, und die dieses Kunden ist nicht bekannt.",
        "WhatsApp n’envoie ce type de message qu’à un numéro de téléphone, et celui de ce client n’est pas connu.",
    ),
    "generic": (
        "WhatsApp did not deliver the message.",
        "WhatsApp no entregó el mensaje.",
        "O WhatsApp não entregou a mensagem.",
        "WhatsApp hat die Nachricht nicht zugestellt.",
        "WhatsApp n’a pas remis le message.",
    ),
    "unclear": (
        "WhatsApp did not answer, so it is not known whether the client has this message.",
        "WhatsApp no respondió, así que no se sabe si el cliente tiene este mensaje.",
        "O WhatsApp não respondeu, por isso não se sabe se o cliente tem esta mensagem.",
        "WhatsApp hat nicht geantwortet; es ist nicht bekannt, ob der Kunde diese Nachricht hat.",
        "WhatsApp n’a pas répondu : on ne sait pas si le client a ce message.",
    ),
}

NEXT: Final[Mapping[str, Phrase]] = {
    "kept": (
        "Your message is kept, and sent as soon as it works again.",
        "Su mensaje se guarda y se enviará en cuanto vuelva a funcionar.",
        "A sua mensagem fica guardada e será enviada assim que voltar a funcionar.",
        "Ihre Nachricht wird aufbewahrt und gesendet, sobald es wieder geht.",
        "Votre message est conservé et partira dès que possible.",
    ),
    "later": (
        "Please try again in a few minutes.",
        "Inténtelo de nuevo en unos minutos.",
        "Tente de novo daqui a alguns minutos.",
        "Bitte versuchen Sie es in ein paar Minuten noch einmal.",
        "Réessayez dans quelques minutes.",
    ),
    "again": (
        "Please send it again.",
        "Vuelva a enviarlo.",
        "Envie-a de novo.",
        "Bitte senden Sie sie noch einmal.",
        "Veuillez le renvoyer.",
    ),
    "other_channel": (
        "Reach the client in another way.",
        "Contacte con el cliente por otra vía.",
        "Contacte o cliente por outra via.",
        "Erreichen Sie den Kunden auf einem anderen Weg.",
        "Contactez le client par un autre moyen.",
    ),
    "rewrite": (
        "Change it and send it again.",
        "Modifíquelo y vuelva a enviarlo.",
        "Altere-a e envie-a de novo.",
        "Ändern Sie sie, und senden Sie sie noch einmal.",
        "Modifiez-le et renvoyez-le.",
    ),
    "template": (
        "Send a template: !wa lists them.",
        "Envíe una plantilla: !wa las muestra.",
        "Envie um modelo: !wa mostra-os.",
        "Senden Sie eine Vorlage: !wa zeigt sie.",
        "Envoyez un modèle : !wa les affiche.",
    ),
    "other_template": (
        "Look at the templates again with !wa.",
        "Consulte de nuevo las plantillas con !wa.",
        "Veja de novo os modelos com !wa.",
        "Sehen Sie mit !wa noch einmal nach den Vorlagen.",
        "Consultez à nouveau les modèles avec !wa.",
    ),
    "admin": (
        "Tell whoever looks after WhatsApp here.",
        "Avise a quien se ocupa aquí de WhatsApp.",
        "Avise quem trata aqui do WhatsApp.",
        "Sagen Sie es denen, die sich hier um WhatsApp kümmern.",
        "Prévenez la personne qui s’occupe ici de WhatsApp.",
    ),
    "ask_client": (
        "Ask the client to send it in another way.",
        "Pida al cliente que lo envíe de otra forma.",
        "Peça ao cliente que o envie de outra forma.",
        "Bitten Sie den Kunden, es auf andere Weise zu senden.",
        "Demandez au client de l’envoyer autrement.",
    ),
    "other_file": (
        "Send it as JPEG, PNG, PDF, MP4 or MP3, and smaller.",
        "Envíelo como JPEG, PNG, PDF, MP4 o MP3, y más pequeño.",
        "Envie-o como JPEG, PNG, PDF, MP4 ou MP3, e mais pequeno.",
        "Senden Sie sie als JPEG, PNG, PDF, MP4 oder MP3, und kleiner.",
        "Envoyez-le en JPEG, PNG, PDF, MP4 ou MP3, et plus petit.",
    ),
    "ask_phone": (
        "Ask the client for the phone number.",
        "Pida al cliente su número de teléfono.",
        "Peça ao cliente o número de telefone.",
        "Fragen Sie den Kunden nach der Telefonnummer.",
        "Demandez au client son numéro de téléphone.",
    ),
    "ask": (
        "Ask the client before you send it again.",
        "Pregunte al cliente antes de volver a enviarlo.",
        "Pergunte ao cliente antes de a enviar de novo.",
        "Fragen Sie den Kunden, bevor Sie sie noch einmal senden.",
        "Demandez au client avant de le renvoyer.",
    ),
}
