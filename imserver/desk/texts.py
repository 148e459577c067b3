"""What clients and agents are told, in five languages, until an admin words it otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from imserver.desk.settings import DeskSettings

#: Every text there is, and what it may speak of.
TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    # to clients: nothing here may tell who the agent is
    "welcome": ("queue",),
    "position": ("position",),
    "position_estimate": ("position", "minutes"),
    "no_agents": ("queue",),
    "away": ("queue",),
    "away_until": ("queue", "opens"),
    "attended": ("queue",),
    "transferred": ("queue",),
    "requeued": ("queue",),
    "silent_warning": ("minutes",),
    "silent_closed": (),
    "closed": (),
    "unserved": ("queue",),
    # to agents
    "offer": ("client", "queue", "waited", "seconds"),
    "offer_transferred": ("client", "queue", "agent", "reason", "seconds"),
    "answer_accept": (),
    "answer_decline": (),
    "withdrawn_taken": ("client", "agent"),
    "withdrawn": ("client",),
    "handed_over": ("client", "queue"),
    "handed_over_transferred": ("client", "queue", "agent", "reason"),
    "invited": ("client", "queue", "agent"),
    "reopened": ("client",),
    "taken_away": ("client",),
    "client_left": ("client",),
    "wrap_up": ("client", "seconds"),
    "wrap_up_codes": ("client", "seconds", "codes"),
    "closed_silent": ("client",),
    "paused_missed": ("misses", "prefix"),
    "paused": ("reason",),
    "ready": (),
    # refusals
    "taken": ("agent",),
    "not_offered": (),
    "gone": (),
    "not_yours": ("agent",),
    "not_active": (),
    "no_room": ("capacity",),
    "not_a_member": ("queue",),
    "code_required": ("codes",),
    "code_unknown": ("code", "codes"),
    "target_unknown": ("target",),
    "target_same": ("target",),
    "target_away": ("target",),
    "target_full": ("target",),
    "already_in": ("agent",),
    "leave_owner": (),
}

#: The built-in wording.
WORDING: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "welcome": "Welcome to {queue}.",
        "position": "You are number {position} in the queue.",
        "position_estimate": "You are number {position} in the queue; it takes about {minutes} min.",
        "no_agents": "Nobody is here right now. Your message is kept, and answered as soon as somebody is back.",
        "away": "We are closed at the moment. Your message is kept, and will be answered.",
        "away_until": "We are closed at the moment, and open again on {opens}. Your message is kept until then.",
        "attended": "Somebody is with you now.",
        "transferred": "You are being passed on to a colleague.",
        "requeued": "The connection to your contact was lost. You are back at the head of the queue.",
        "silent_warning": "Are you still there? The conversation will be closed in {minutes} min.",
        "silent_closed": "The conversation was closed since we have not heard from you. Just write to come back.",
        "closed": "The conversation is closed. Just write to come back.",
        "unserved": "There is nobody any more who could attend you here. We are sorry.",
        "offer": "{client} has waited {waited} in {queue}. Do you accept? You have {seconds} s.",
        "offer_transferred": "{agent} passes {client} on to you ({queue}): {reason}. Accept? You have {seconds} s.",
        "answer_accept": "Accept",
        "answer_decline": "Decline",
        "withdrawn_taken": "{agent} attends {client} already.",
        "withdrawn": "The offer of {client} no longer stands.",
        "handed_over": "You attend {client} now ({queue}).",
        "handed_over_transferred": "You attend {client} now ({queue}), passed on by {agent}: {reason}",
        "invited": "{agent} invites you to the conversation with {client} ({queue}).",
        "reopened": "{client} has come back.",
        "taken_away": "You do not attend {client} any more.",
        "client_left": "{client} has left.",
        "wrap_up": "The conversation with {client} is over. You have {seconds} s to write it up.",
        "wrap_up_codes": "The conversation with {client} is over. You have {seconds} s to write it up. Codes: {codes}",
        "closed_silent": "{client} has been silent for too long; the conversation is closed.",
        "paused_missed": "You have not answered {misses} offers in a row, and are paused. Go on with {prefix}ready.",
        "paused": "You are paused: {reason}",
        "ready": "You are ready.",
        "taken": "{agent} has it already.",
        "not_offered": "This conversation is not offered to you.",
        "gone": "This conversation is over.",
        "not_yours": "{agent} has this conversation.",
        "not_active": "Nobody has this conversation at the moment.",
        "no_room": "You have {capacity} conversations: close one first.",
        "not_a_member": "You are not a member of {queue}.",
        "code_required": "A code is needed to close: {codes}",
        "code_unknown": "There is no code {code}: {codes}",
        "target_unknown": "There is no agent and no queue called {target}.",
        "target_same": "The conversation is with {target} already.",
        "target_away": "{target} is not there at the moment.",
        "target_full": "{target} has no room for another conversation.",
        "already_in": "{agent} is in the conversation already.",
        "leave_owner": "The conversation is yours: transfer or close it.",
    },
    "es": {
        "welcome": "Le damos la bienvenida a {queue}.",
        "position": "Es el número {position} de la cola.",
        "position_estimate": "Es el número {position} de la cola; la espera es de unos {minutes} min.",
        "no_agents": "Ahora mismo no hay nadie. Guardamos su mensaje y le responderemos en cuanto alguien vuelva.",
        "away": "En este momento está cerrado. Guardamos su mensaje y le responderemos.",
        "away_until": "En este momento está cerrado; abrimos el {opens}. Guardamos su mensaje hasta entonces.",
        "attended": "Ya le atienden.",
        "transferred": "Le pasamos con un compañero.",
        "requeued": "Se ha perdido la conexión con quien le atendía. Vuelve a estar al principio de la cola.",
        "silent_warning": "¿Sigue ahí? La conversación se cerrará en {minutes} min.",
        "silent_closed": "Se ha cerrado la conversación por falta de respuesta. Escriba para volver.",
        "closed": "La conversación se ha cerrado. Escriba para volver.",
        "unserved": "Aquí ya no queda nadie que pueda atenderle. Lo sentimos.",
        "offer": "{client} lleva {waited} esperando en {queue}. ¿Acepta? Tiene {seconds} s.",
        "offer_transferred": "{agent} le pasa a {client} ({queue}): {reason}. ¿Acepta? Tiene {seconds} s.",
        "answer_accept": "Aceptar",
        "answer_decline": "Rechazar",
        "withdrawn_taken": "{agent} ya atiende a {client}.",
        "withdrawn": "La oferta de {client} ya no está en pie.",
        "handed_over": "Ahora atiende a {client} ({queue}).",
        "handed_over_transferred": "Ahora atiende a {client} ({queue}), de parte de {agent}: {reason}",
        "invited": "{agent} le invita a la conversación con {client} ({queue}).",
        "reopened": "{client} ha vuelto.",
        "taken_away": "Ya no atiende a {client}.",
        "client_left": "{client} se ha ido.",
        "wrap_up": "La conversación con {client} terminó. Tiene {seconds} s para anotarla.",
        "wrap_up_codes": "La conversación con {client} terminó. Tiene {seconds} s para anotarla. Códigos: {codes}",
        "closed_silent": "{client} lleva demasiado tiempo en silencio; la conversación se ha cerrado.",
        "paused_missed": "No ha respondido a {misses} ofertas seguidas y está en pausa. Siga con {prefix}ready.",
        "paused": "Está en pausa: {reason}",
        "ready": "Está disponible.",
        "taken": "Ya la tiene {agent}.",
        "not_offered": "Esta conversación no se le ofrece a usted.",
        "gone": "Esta conversación ha terminado.",
        "not_yours": "Esta conversación la tiene {agent}.",
        "not_active": "En este momento nadie tiene esta conversación.",
        "no_room": "Tiene {capacity} conversaciones: cierre antes una.",
        "not_a_member": "No es miembro de {queue}.",
        "code_required": "Para cerrar hace falta un código: {codes}",
        "code_unknown": "No existe el código {code}: {codes}",
        "target_unknown": "No hay agente ni cola que se llame {target}.",
        "target_same": "La conversación ya está con {target}.",
        "target_away": "{target} no está en este momento.",
        "target_full": "{target} no tiene sitio para otra conversación.",
        "already_in": "{agent} ya está en la conversación.",
        "leave_owner": "La conversación es suya: transfiérala o ciérrela.",
    },
    "pt": {
        "welcome": "Boas-vindas a {queue}.",
        "position": "É o número {position} da fila.",
        "position_estimate": "É o número {position} da fila; a espera é de cerca de {minutes} min.",
        "no_agents": "Neste momento não há ninguém. Guardamos a sua mensagem e respondemos assim que alguém voltar.",
        "away": "Neste momento estamos fechados. Guardamos a sua mensagem e vamos responder.",
        "away_until": "Neste momento estamos fechados; abrimos em {opens}. Guardamos a sua mensagem até lá.",
        "attended": "Já está a ser atendido.",
        "transferred": "Vamos passar a conversa a um colega.",
        "requeued": "Perdeu-se a ligação a quem o atendia. Está de novo no início da fila.",
        "silent_warning": "Ainda está aí? A conversa será encerrada em {minutes} min.",
        "silent_closed": "A conversa foi encerrada por falta de resposta. Escreva para voltar.",
        "closed": "A conversa está encerrada. Escreva para voltar.",
        "unserved": "Já não há aqui ninguém que o possa atender. Lamentamos.",
        "offer": "{client} espera há {waited} em {queue}. Aceita? Tem {seconds} s.",
        "offer_transferred": "{agent} passa-lhe {client} ({queue}): {reason}. Aceita? Tem {seconds} s.",
        "answer_accept": "Aceitar",
        "answer_decline": "Recusar",
        "withdrawn_taken": "{agent} já atende {client}.",
        "withdrawn": "A oferta de {client} já não está de pé.",
        "handed_over": "Atende agora {client} ({queue}).",
        "handed_over_transferred": "Atende agora {client} ({queue}), da parte de {agent}: {reason}",
        "invited": "{agent} convida-o para a conversa com {client} ({queue}).",
        "reopened": "{client} voltou.",
        "taken_away": "Já não atende {client}.",
        "client_left": "{client} saiu.",
        "wrap_up": "A conversa com {client} terminou. Tem {seconds} s para a anotar.",
        "wrap_up_codes": "A conversa com {client} terminou. Tem {seconds} s para a anotar. Códigos: {codes}",
        "closed_silent": "{client} está em silêncio há demasiado tempo; a conversa foi encerrada.",
        "paused_missed": "Não respondeu a {misses} ofertas seguidas e está em pausa. Continue com {prefix}ready.",
        "paused": "Está em pausa: {reason}",
        "ready": "Está disponível.",
        "taken": "Já está com {agent}.",
        "not_offered": "Esta conversa não lhe é oferecida.",
        "gone": "Esta conversa terminou.",
        "not_yours": "Esta conversa está com {agent}.",
        "not_active": "Neste momento ninguém tem esta conversa.",
        "no_room": "Tem {capacity} conversas: encerre uma primeiro.",
        "not_a_member": "Não é membro de {queue}.",
        "code_required": "Para encerrar é preciso um código: {codes}",
        "code_unknown": "Não existe o código {code}: {codes}",
        "target_unknown": "Não há agente nem fila com o nome {target}.",
        "target_same": "A conversa já está com {target}.",
        "target_away": "{target} não está neste momento.",
        "target_full": "{target} não tem lugar para outra conversa.",
        "already_in": "{agent} já está na conversa.",
        "leave_owner": "A conversa é sua: transfira-a ou encerre-a.",
    },
    "de": {
        "welcome": "Willkommen bei {queue}.",
        "position": "Sie sind Nummer {position} in der Warteschlange.",
        "position_estimate": "Sie sind Nummer {position} in der Warteschlange; es dauert etwa {minutes} min.",
        "no_agents": "Zurzeit ist niemand da. Ihre Nachricht wird beantwortet, sobald jemand kommt.",
        "away": "Zurzeit ist geschlossen. Ihre Nachricht bleibt erhalten und wird beantwortet.",
        "away_until": "Zurzeit ist geschlossen; wir öffnen am {opens}. Ihre Nachricht bleibt bis dahin erhalten.",
        "attended": "Jetzt ist jemand für Sie da.",
        "transferred": "Sie werden weiterverbunden.",
        "requeued": "Die Verbindung ist abgerissen. Sie sind wieder ganz vorn in der Warteschlange.",
        "silent_warning": "Sind Sie noch da? Das Gespräch wird in {minutes} min geschlossen.",
        "silent_closed": "Das Gespräch wurde geschlossen, da keine Antwort kam. Schreiben Sie einfach wieder.",
        "closed": "Das Gespräch ist beendet. Schreiben Sie einfach, um zurückzukommen.",
        "unserved": "Hier ist niemand mehr, der Ihnen helfen könnte. Es tut uns leid.",
        "offer": "{client} wartet seit {waited} in {queue}. Nehmen Sie an? Sie haben {seconds} s.",
        "offer_transferred": "{agent} übergibt Ihnen {client} ({queue}): {reason}. Annehmen? Sie haben {seconds} s.",
        "answer_accept": "Annehmen",
        "answer_decline": "Ablehnen",
        "withdrawn_taken": "{agent} ist schon bei {client}.",
        "withdrawn": "Das Angebot von {client} steht nicht mehr.",
        "handed_over": "Sie betreuen jetzt {client} ({queue}).",
        "handed_over_transferred": "Sie betreuen jetzt {client} ({queue}), übergeben von {agent}: {reason}",
        "invited": "{agent} lädt Sie zum Gespräch mit {client} ein ({queue}).",
        "reopened": "{client} ist zurück.",
        "taken_away": "Sie betreuen {client} nicht mehr.",
        "client_left": "{client} ist gegangen.",
        "wrap_up": "Das Gespräch mit {client} ist vorbei. Sie haben {seconds} s zur Nacharbeit.",
        "wrap_up_codes": "Das Gespräch mit {client} ist vorbei. Sie haben {seconds} s zur Nacharbeit. Codes: {codes}",
        "closed_silent": "{client} schweigt zu lange; das Gespräch ist geschlossen.",
        "paused_missed": "Sie haben {misses} Angebote nicht beantwortet und pausieren jetzt. Weiter mit {prefix}ready.",
        "paused": "Sie pausieren: {reason}",
        "ready": "Sie sind bereit.",
        "taken": "{agent} hat es schon.",
        "not_offered": "Dieses Gespräch wird Ihnen nicht angeboten.",
        "gone": "Dieses Gespräch ist vorbei.",
        "not_yours": "Dieses Gespräch hat {agent}.",
        "not_active": "Zurzeit hat niemand dieses Gespräch.",
        "no_room": "Sie haben {capacity} Gespräche: schließen Sie zuerst eines.",
        "not_a_member": "Sie sind kein Mitglied von {queue}.",
        "code_required": "Zum Schließen gehört ein Code: {codes}",
        "code_unknown": "Den Code {code} gibt es nicht: {codes}",
        "target_unknown": "Es gibt weder Agent noch Warteschlange namens {target}.",
        "target_same": "Das Gespräch ist schon bei {target}.",
        "target_away": "{target} ist zurzeit nicht da.",
        "target_full": "{target} hat keinen Platz für ein weiteres Gespräch.",
        "already_in": "{agent} ist schon dabei.",
        "leave_owner": "Das Gespräch ist Ihres: übergeben oder schließen Sie es.",
    },
    "fr": {
        "welcome": "Bienvenue chez {queue}.",
        "position": "Vous êtes numéro {position} dans la file.",
        "position_estimate": "Vous êtes numéro {position} dans la file ; il faut compter environ {minutes} min.",
        "no_agents": "Il n’y a personne pour le moment. Votre message est gardé ; on vous répondra dès que possible.",
        "away": "C’est fermé pour le moment. Votre message est gardé et aura une réponse.",
        "away_until": "C’est fermé pour le moment ; nous ouvrons le {opens}. Votre message est gardé jusque-là.",
        "attended": "Quelqu’un est avec vous maintenant.",
        "transferred": "Nous vous passons un collègue.",
        "requeued": "La connexion a été perdue. Vous êtes de nouveau en tête de la file.",
        "silent_warning": "Êtes-vous toujours là ? La conversation sera fermée dans {minutes} min.",
        "silent_closed": "La conversation a été fermée, faute de réponse. Écrivez pour revenir.",
        "closed": "La conversation est fermée. Écrivez pour revenir.",
        "unserved": "Il n’y a plus personne ici pour vous répondre. Nous en sommes désolés.",
        "offer": "{client} attend depuis {waited} dans {queue}. Acceptez-vous ? Vous avez {seconds} s.",
        "offer_transferred": "{agent} vous passe {client} ({queue}) : {reason}. Acceptez-vous ? Vous avez {seconds} s.",
        "answer_accept": "Accepter",
        "answer_decline": "Refuser",
        "withdrawn_taken": "{agent} s’occupe déjà de {client}.",
        "withdrawn": "L’offre de {client} ne tient plus.",
        "handed_over": "Vous vous occupez maintenant de {client} ({queue}).",
        "handed_over_transferred": "Vous avez maintenant {client} ({queue}), de la part de {agent} : {reason}",
        "invited": "{agent} vous invite dans la conversation avec {client} ({queue}).",
        "reopened": "{client} est de retour.",
        "taken_away": "Vous ne vous occupez plus de {client}.",
        "client_left": "{client} est parti.",
        "wrap_up": "La conversation avec {client} est finie : {seconds} s pour la noter.",
        "wrap_up_codes": "La conversation avec {client} est finie : {seconds} s pour la noter. Codes : {codes}",
        "closed_silent": "{client} se tait depuis trop longtemps ; la conversation est fermée.",
        "paused_missed": "Vous n’avez pas répondu à {misses} offres et êtes en pause. Reprenez avec {prefix}ready.",
        "paused": "Vous êtes en pause : {reason}",
        "ready": "Vous êtes disponible.",
        "taken": "{agent} s’en occupe déjà.",
        "not_offered": "Cette conversation ne vous est pas proposée.",
        "gone": "Cette conversation est finie.",
        "not_yours": "{agent} a cette conversation.",
        "not_active": "Personne n’a cette conversation pour le moment.",
        "no_room": "Vous avez {capacity} conversations : fermez-en une d’abord.",
        "not_a_member": "Vous n’êtes pas membre de {queue}.",
        "code_required": "Pour fermer, il faut un code : {codes}",
        "code_unknown": "Il n’y a pas de code {code} : {codes}",
        "target_unknown": "Il n’y a ni agent ni file du nom de {target}.",
        "target_same": "La conversation est déjà chez {target}.",
        "target_away": "{target} n’est pas là pour le moment.",
        "target_full": "{target} n’a pas de place pour une autre conversation.",
        "already_in": "{agent} est déjà dans la conversation.",
        "leave_owner": "La conversation est à vous : transférez-la ou fermez-la.",
    },
}

LANGUAGES: Final = frozenset(WORDING)

#: What every built-in language has.
FALLBACK: Final = "en"


def text(settings: DeskSettings, queue: str, key: str, lang: str = "", /, **values: Any) -> str:
    """Word what is to be said; "" if an admin wants nothing said.

    A language that is not spoken here falls back: es-MX to es, then to the desk's own, then to English. In one
    language, the queue's wording is taken before the desk's, and that before the built-in one.
    """
    own = settings.queues.get(queue)
    for spoken in _languages(lang, settings.language):
        for wording in (own.texts if own else {}, settings.texts, WORDING):
            if (found := wording.get(spoken, {}).get(key)) is not None:
                shown = {"queue": _title(settings, queue), "prefix": settings.prefix, **values}
                return found.format_map(_Readable(shown))
    raise KeyError(key)


def languages(settings: DeskSettings, queue: str) -> frozenset[str]:
    """Tell in which languages clients of a queue are spoken to."""
    own = settings.queues.get(queue)
    return LANGUAGES | settings.texts.keys() | (own.texts.keys() if own else frozenset())


def _languages(lang: str, default: str) -> Iterator[str]:
    yield lang
    subtags = lang.split("-")
    # Language tags are compared without regard to case (RFC 5646, 2.1.1).
    for length in range(len(subtags), 0, -1):
        yield "-".join([subtags[0].lower(), *(subtag.upper() for subtag in subtags[1:length])])
    yield default
    yield FALLBACK


def _title(settings: DeskSettings, queue: str) -> str:
    own = settings.queues.get(queue)
    return (own.title if own else "") or queue


class _Readable(dict[str, Any]):
    """The values, as people write them; one that is not known is left out."""

    def __getitem__(self, name: str) -> str:
        match super().get(name, ""):
            case datetime() as moment:
                return f"{moment:%Y-%m-%d %H:%M}"
            case list() | tuple() as several:
                return ", ".join(map(str, several))
            case value:
                return str(value)
