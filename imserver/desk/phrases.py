"""What commands and the status of a contact say to agents; what a queue may word itself is in `texts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DEFAULT: Final = "en"


def say(key: str, lang: str, /, **values: Any) -> str:
    """Say it in that language: `es-MX` falls back to `es`, and what is unknown to English.

    Raises:
        KeyError: If there is no such phrase.
    """
    return PHRASES[key][LANGUAGES.index(language(lang))].format(**values)


def language(wanted: str) -> str:
    """Find the language that is nearest to the one wanted."""
    short = wanted.replace("_", "-").partition("-")[0].casefold()
    return short if short in LANGUAGES else DEFAULT


def elapsed(seconds: float, lang: str) -> str:
    """Say how long something took, in its largest unit."""
    whole = max(0, int(seconds))
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if whole >= size:
            return say(unit, lang, count=whole // size)
    return say("seconds", lang, count=whole)


LANGUAGES: Final = ("en", "es", "pt", "de", "fr")

#: Each in the order of `LANGUAGES`.
PHRASES: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    # Time
    "seconds": ("{count} s",) * 5,
    "minutes": ("{count} min",) * 5,
    "hours": ("{count} h",) * 5,
    "days": ("{count} d", "{count} d", "{count} d", "{count} Tg.", "{count} j"),
    # The status of a contact
    "status_new": (
        "{queue} · waiting since just now",
        "{queue} · espera desde ahora mismo",
        "{queue} · à espera desde agora",
        "{queue} · wartet seit gerade eben",
        "{queue} · attend depuis un instant",
    ),
    "status_waiting": (
        "{queue} · waiting for {time}",
        "{queue} · espera desde hace {time}",
        "{queue} · à espera há {time}",
        "{queue} · wartet seit {time}",
        "{queue} · attend depuis {time}",
    ),
    "status_answered": (
        "{queue} · answered",
        "{queue} · respondido",
        "{queue} · respondido",
        "{queue} · beantwortet",
        "{queue} · répondu",
    ),
    # How to answer an offer from any client
    "how_to_answer": (
        "Answer {prefix}accept {number} or {prefix}decline {number}.",
        "Responda {prefix}accept {number} o {prefix}decline {number}.",
        "Responda {prefix}accept {number} ou {prefix}decline {number}.",
        "Antworten Sie mit {prefix}accept {number} oder {prefix}decline {number}.",
        "Répondez {prefix}accept {number} ou {prefix}decline {number}.",
    ),
    # What went wrong with a command
    "unknown_command": (
        "There is no command {prefix}{name}. {prefix}help lists them all. Nothing was sent.",
        "No existe la orden {prefix}{name}. {prefix}help las muestra todas. No se envió nada.",
        "Não existe o comando {prefix}{name}. {prefix}help mostra todos. Nada foi enviado.",
        "Es gibt keinen Befehl {prefix}{name}. {prefix}help zeigt alle. Es wurde nichts gesendet.",
        "Il n’y a pas de commande {prefix}{name}. {prefix}help les montre toutes. Rien n’a été envoyé.",
    ),
    "nearest_command": (
        "There is no command {prefix}{name}. Did you mean {prefix}{nearest}? Nothing was sent.",
        "No existe la orden {prefix}{name}. ¿Quiso decir {prefix}{nearest}? No se envió nada.",
        "Não existe o comando {prefix}{name}. Quis dizer {prefix}{nearest}? Nada foi enviado.",
        "Es gibt keinen Befehl {prefix}{name}. Meinten Sie {prefix}{nearest}? Es wurde nichts gesendet.",
        "Il n’y a pas de commande {prefix}{name}. Vouliez-vous dire {prefix}{nearest} ? Rien n’a été envoyé.",
    ),
    "command_inside": (
        "Nothing was sent: a line of it begins with {prefix}. Write {prefix}{prefix} for a {prefix}.",
        "No se envió nada: una de las líneas empieza con {prefix}. Escriba {prefix}{prefix} para un {prefix}.",
        "Nada foi enviado: uma das linhas começa com {prefix}. Escreva {prefix}{prefix} para um {prefix}.",
        "Es wurde nichts gesendet: eine Zeile beginnt mit {prefix}. Schreiben Sie {prefix}{prefix} für {prefix}.",
        "Rien n’a été envoyé : une ligne commence par {prefix}. Écrivez {prefix}{prefix} pour un {prefix}.",
    ),
    "usage": (
        "This is written so: {usage}",
        "Se escribe así: {usage}",
        "Escreve-se assim: {usage}",
        "So wird es geschrieben: {usage}",
        "Cela s’écrit ainsi : {usage}",
    ),
    "needs_client": (
        "{prefix}{name} is for the chat with a client.",
        "{prefix}{name} es para el chat con un cliente.",
        "{prefix}{name} é para a conversa com um cliente.",
        "{prefix}{name} gehört in den Chat mit einem Kunden.",
        "{prefix}{name} s’emploie dans la conversation avec un client.",
    ),
    "not_an_agent": (
        "Only agents may do that.",
        "Solo los agentes pueden hacerlo.",
        "Só os agentes o podem fazer.",
        "Das dürfen nur Agenten.",
        "Seuls les agents peuvent le faire.",
    ),
    # What came of a command
    "done_accept": (
        "The conversation is yours.",
        "La conversación es suya.",
        "A conversa é sua.",
        "Das Gespräch gehört Ihnen.",
        "La conversation est à vous.",
    ),
    "done_decline": (
        "Declined; others are asked.",
        "Rechazada; se pregunta a otros.",
        "Recusada; pergunta-se a outros.",
        "Abgelehnt; andere werden gefragt.",
        "Refusée ; on demande à d’autres.",
    ),
    "done_transfer": (
        "Handed on to {to}.",
        "Transferida a {to}.",
        "Transferida para {to}.",
        "An {to} weitergegeben.",
        "Transférée à {to}.",
    ),
    "done_invite": (
        "{agent} is invited.",
        "Se ha invitado a {agent}.",
        "{agent} foi convidado.",
        "{agent} ist eingeladen.",
        "{agent} est invité.",
    ),
    "done_note": (
        "Noted; the client does not see it.",
        "Anotado; el cliente no lo ve.",
        "Anotado; o cliente não o vê.",
        "Notiert; der Kunde sieht es nicht.",
        "Noté ; le client ne le voit pas.",
    ),
    "history_shown": (
        "Messages from before: {count}.",
        "Mensajes anteriores: {count}.",
        "Mensagens anteriores: {count}.",
        "Frühere Nachrichten: {count}.",
        "Messages précédents : {count}.",
    ),
    "history_empty": (
        "There is nothing from before.",
        "No hay nada anterior.",
        "Não há nada anterior.",
        "Es gibt nichts von früher.",
        "Il n’y a rien d’antérieur.",
    ),
    "done_close": (
        "The conversation is closed.",
        "La conversación está cerrada.",
        "A conversa está fechada.",
        "Das Gespräch ist beendet.",
        "La conversation est close.",
    ),
    "done_leave": (
        "You have left; the conversation goes on.",
        "Ha salido; la conversación continúa.",
        "Saiu; a conversa continua.",
        "Sie sind gegangen; das Gespräch geht weiter.",
        "Vous êtes parti ; la conversation continue.",
    ),
    "done_ready": (
        "You are ready.",
        "Está disponible.",
        "Está disponível.",
        "Sie sind bereit.",
        "Vous êtes disponible.",
    ),
    "done_pause": (
        "You are on a break; nothing new is offered to you until {prefix}ready.",
        "Está en pausa; no se le ofrece nada nuevo hasta {prefix}ready.",
        "Está em pausa; nada de novo lhe é oferecido até {prefix}ready.",
        "Sie machen Pause; bis {prefix}ready wird Ihnen nichts Neues angeboten.",
        "Vous êtes en pause ; rien de nouveau ne vous est proposé jusqu’à {prefix}ready.",
    ),
    "queue_empty": (
        "Nobody is waiting.",
        "No espera nadie.",
        "Ninguém está à espera.",
        "Niemand wartet.",
        "Personne n’attend.",
    ),
    "queue_line": (
        "{position}. {client}, {queue}: {time}",
        "{position}. {client}, {queue}: {time}",
        "{position}. {client}, {queue}: {time}",
        "{position}. {client}, {queue}: {time}",
        "{position}. {client}, {queue} : {time}",
    ),
    "no_templates": (
        "No templates are installed.",
        "No hay plantillas instaladas.",
        "Não há modelos instalados.",
        "Es sind keine Vorlagen installiert.",
        "Aucun modèle n’est installé.",
    ),
    "done_t": ("Sent.", "Enviada.", "Enviado.", "Gesendet.", "Envoyé."),
    "done_t_text": (
        "Sent: {text}",
        "Enviada: {text}",
        "Enviado: {text}",
        "Gesendet: {text}",
        "Envoyé : {text}",
    ),
    "template_not_found": (
        "There is no template about {search}.",
        "No hay ninguna plantilla sobre {search}.",
        "Não há nenhum modelo sobre {search}.",
        "Es gibt keine Vorlage zu {search}.",
        "Il n’y a aucun modèle sur {search}.",
    ),
    "template_unknown": (
        "There is no template {shortcut} for this chat. {prefix}templates lists them all. Nothing was sent.",
        "No hay plantilla {shortcut} para este chat. {prefix}templates las muestra todas. No se envió nada.",
        "Não há modelo {shortcut} para esta conversa. {prefix}templates mostra todos. Nada foi enviado.",
        "Es gibt hier keine Vorlage {shortcut}. {prefix}templates zeigt alle. Es wurde nichts gesendet.",
        "Il n’y a pas de modèle {shortcut} ici. {prefix}templates les montre tous. Rien n’a été envoyé.",
    ),
    "template_nearest": (
        "There is no template {shortcut} for this chat. Did you mean {nearest}? Nothing was sent.",
        "No hay plantilla {shortcut} para este chat. ¿Quiso decir {nearest}? No se envió nada.",
        "Não há modelo {shortcut} para esta conversa. Quis dizer {nearest}? Nada foi enviado.",
        "Es gibt hier keine Vorlage {shortcut}. Meinten Sie {nearest}? Es wurde nichts gesendet.",
        "Il n’y a pas de modèle {shortcut} ici. Vouliez-vous dire {nearest} ? Rien n’a été envoyé.",
    ),
    "template_missing": (
        "Nothing was sent: {shortcut} needs {names}. Write {prefix}t {usage}",
        "No se envió nada: a {shortcut} le falta {names}. Escriba {prefix}t {usage}",
        "Nada foi enviado: a {shortcut} falta {names}. Escreva {prefix}t {usage}",
        "Es wurde nichts gesendet: {shortcut} braucht {names}. Schreiben Sie {prefix}t {usage}",
        "Rien n’a été envoyé : il manque à {shortcut} {names}. Écrivez {prefix}t {usage}",
    ),
    "template_undefined": (
        "Nothing was sent: {shortcut} speaks of {names}, which is not known here.",
        "No se envió nada: {shortcut} habla de {names}, que aquí no se conoce.",
        "Nada foi enviado: {shortcut} fala de {names}, que aqui não se conhece.",
        "Es wurde nichts gesendet: {shortcut} spricht von {names}, was hier nicht bekannt ist.",
        "Rien n’a été envoyé : {shortcut} parle de {names}, qui n’est pas connu ici.",
    ),
    "template_no_variable": (
        "Nothing was sent: {shortcut} has no {names}; it has {known}.",
        "No se envió nada: {shortcut} no tiene {names}; tiene {known}.",
        "Nada foi enviado: {shortcut} não tem {names}; tem {known}.",
        "Es wurde nichts gesendet: {shortcut} hat kein {names}; es hat {known}.",
        "Rien n’a été envoyé : {shortcut} n’a pas {names} ; il a {known}.",
    ),
    "template_no_variables": (
        "Nothing was sent: {shortcut} has no variables, and so no {names}.",
        "No se envió nada: {shortcut} no tiene variables, y por tanto tampoco {names}.",
        "Nada foi enviado: {shortcut} não tem variáveis e, portanto, nem {names}.",
        "Es wurde nichts gesendet: {shortcut} hat keine Variablen, also auch kein {names}.",
        "Rien n’a été envoyé : {shortcut} n’a pas de variables, donc pas de {names}.",
    ),
    "template_too_much": (
        "Nothing was sent: {shortcut} becomes too large ({reason}).",
        "No se envió nada: {shortcut} resulta demasiado grande ({reason}).",
        "Nada foi enviado: {shortcut} fica grande demais ({reason}).",
        "Es wurde nichts gesendet: {shortcut} wird zu groß ({reason}).",
        "Rien n’a été envoyé : {shortcut} devient trop grand ({reason}).",
    ),
    "template_failed": (
        "Nothing was sent: {shortcut} can’t be filled in so ({reason}).",
        "No se envió nada: {shortcut} no se puede rellenar así ({reason}).",
        "Nada foi enviado: {shortcut} não se pode preencher assim ({reason}).",
        "Es wurde nichts gesendet: {shortcut} lässt sich so nicht ausfüllen ({reason}).",
        "Rien n’a été envoyé : {shortcut} ne peut être rempli ainsi ({reason}).",
    ),
    "template_empty": (
        "Nothing was sent: {shortcut} says nothing here.",
        "No se envió nada: {shortcut} no dice nada aquí.",
        "Nada foi enviado: {shortcut} não diz nada aqui.",
        "Es wurde nichts gesendet: {shortcut} sagt hier nichts.",
        "Rien n’a été envoyé : {shortcut} ne dit rien ici.",
    ),
    "template_no_file": (
        "Nothing was sent: the file {file} of {shortcut} is not there.",
        "No se envió nada: falta el archivo {file} de {shortcut}.",
        "Nada foi enviado: falta o ficheiro {file} de {shortcut}.",
        "Es wurde nichts gesendet: die Datei {file} zu {shortcut} fehlt.",
        "Rien n’a été envoyé : le fichier {file} de {shortcut} manque.",
    ),
    "template_refused": (
        "This was not sent: {reason}",
        "Esto no se envió: {reason}",
        "Isto não foi enviado: {reason}",
        "Das wurde nicht gesendet: {reason}",
        "Ceci n’a pas été envoyé : {reason}",
    ),
    "template_preview": ("Preview", "Vista previa", "Pré-visualização", "Vorschau", "Aperçu"),
    "template_instructions": (
        "This is sent to the client when you finish.",
        "Al terminar, esto se envía al cliente.",
        "Ao terminar, isto é enviado ao cliente.",
        "Zum Abschluss wird das dem Kunden gesendet.",
        "À la fin, ceci est envoyé au client.",
    ),
    # The client card
    "done_name": (
        "This client is shown as {name} now.",
        "Este cliente se muestra ahora como {name}.",
        "Este cliente aparece agora como {name}.",
        "Dieser Kunde heißt jetzt {name}.",
        "Ce client s’affiche maintenant comme {name}.",
    ),
    "done_unname": (
        "The name that agents gave this client is forgotten.",
        "Se olvidó el nombre que los agentes dieron a este cliente.",
        "O nome que os agentes deram a este cliente foi esquecido.",
        "Der Name, den Agenten diesem Kunden gaben, ist vergessen.",
        "Le nom que les agents ont donné à ce client est oublié.",
    ),
    "names_off": (
        "Only numbers are shown here: the plugin display_name is off.",
        "Aquí solo se muestran números: el plugin display_name está desactivado.",
        "Aqui só se mostram números: o plugin display_name está desligado.",
        "Hier werden nur Nummern gezeigt: das Plugin display_name ist aus.",
        "Seuls les numéros s’affichent ici : le plugin display_name est désactivé.",
    ),
    "card_name": ("Name", "Nombre", "Nome", "Name", "Nom"),
    "card_called": ("Called", "Llamado", "Chamado", "Genannt", "Appelé"),
    "name_verified": (
        "{name} ({origin}, verified)",
        "{name} ({origin}, verificado)",
        "{name} ({origin}, verificado)",
        "{name} ({origin}, bestätigt)",
        "{name} ({origin}, vérifié)",
    ),
    "name_claimed": (
        "{name} ({origin}, not verified)",
        "{name} ({origin}, sin verificar)",
        "{name} ({origin}, por verificar)",
        "{name} ({origin}, unbestätigt)",
        "{name} ({origin}, non vérifié)",
    ),
    "origin_agent": ("an agent", "un agente", "um agente", "ein Agent", "un agent"),
    "origin_file": ("the file", "el archivo", "o ficheiro", "die Datei", "le fichier"),
    "origin_form": ("the form", "el formulario", "o formulário", "das Formular", "le formulaire"),
    "origin_lookup": ("a lookup", "una consulta", "uma consulta", "eine Abfrage", "une recherche"),
    "origin_nick": ("their client", "su programa", "o seu programa", "ihr Programm", "leur logiciel"),
    "origin_profile": ("the channel", "el canal", "o canal", "der Kanal", "le canal"),
    "card_address": ("Address", "Dirección", "Endereço", "Adresse", "Adresse"),
    "card_channel": ("Channel", "Canal", "Canal", "Kanal", "Canal"),
    "card_queue": ("Queue", "Cola", "Fila", "Warteschlange", "File"),
    "card_language": ("Language", "Idioma", "Idioma", "Sprache", "Langue"),
    "card_waiting": ("Waiting for", "Espera desde hace", "À espera há", "Wartet seit", "Attend depuis"),
    "card_conversations": (
        "Conversations",
        "Conversaciones",
        "Conversas",
        "Gespräche",
        "Conversations",
    ),
    "card_note": ("Note", "Nota", "Nota", "Notiz", "Note"),
    # Arguments
    "argument_agent": ("agent", "agente", "agente", "Agent", "agent"),
    "argument_code": ("code", "código", "código", "Code", "code"),
    "argument_command": ("command", "orden", "comando", "Befehl", "commande"),
    "argument_count": ("number", "número", "número", "Anzahl", "nombre"),
    "argument_offer": ("number", "número", "número", "Nummer", "numéro"),
    "argument_reason": ("reason", "motivo", "motivo", "Grund", "motif"),
    "argument_search": ("words", "palabras", "palavras", "Wörter", "mots"),
    "argument_shortcut": ("shortcut", "atajo", "atalho", "Kürzel", "raccourci"),
    "argument_text": ("text", "texto", "texto", "Text", "texte"),
    "argument_to": (
        "agent or queue",
        "agente o cola",
        "agente ou fila",
        "Agent oder Warteschlange",
        "agent ou file",
    ),
    "argument_values": (
        "name=value …",
        "nombre=valor …",
        "nome=valor …",
        "Name=Wert …",
        "nom=valeur …",
    ),
    # Commands: their names in menus, and what they do
    "name_help": ("Help", "Ayuda", "Ajuda", "Hilfe", "Aide"),
    "help_help": (
        "lists the commands",
        "muestra las órdenes",
        "mostra os comandos",
        "zeigt die Befehle",
        "montre les commandes",
    ),
    "name_accept": ("Accept", "Aceptar", "Aceitar", "Annehmen", "Accepter"),
    "help_accept": (
        "takes the client that is offered",
        "acepta al cliente ofrecido",
        "aceita o cliente oferecido",
        "übernimmt den angebotenen Kunden",
        "prend le client proposé",
    ),
    "name_decline": ("Decline", "Rechazar", "Recusar", "Ablehnen", "Refuser"),
    "help_decline": (
        "leaves the client to others",
        "deja el cliente a otros",
        "deixa o cliente a outros",
        "überlässt den Kunden anderen",
        "laisse le client à d’autres",
    ),
    "name_t": (
        "Send a template",
        "Enviar una plantilla",
        "Enviar um modelo",
        "Vorlage senden",
        "Envoyer un modèle",
    ),
    "help_t": (
        "sends a template to the client",
        "envía una plantilla al cliente",
        "envia um modelo ao cliente",
        "sendet dem Kunden eine Vorlage",
        "envoie un modèle au client",
    ),
    "name_templates": ("Templates", "Plantillas", "Modelos", "Vorlagen", "Modèles"),
    "help_templates": (
        "lists the templates",
        "muestra las plantillas",
        "mostra os modelos",
        "zeigt die Vorlagen",
        "montre les modèles",
    ),
    "name_transfer": ("Transfer", "Transferir", "Transferir", "Weitergeben", "Transférer"),
    "help_transfer": (
        "hands the client on",
        "pasa el cliente a otro",
        "passa o cliente a outro",
        "gibt den Kunden weiter",
        "passe le client à un autre",
    ),
    "name_invite": ("Invite", "Invitar", "Convidar", "Einladen", "Inviter"),
    "help_invite": (
        "brings a second agent in",
        "trae a otro agente",
        "traz outro agente",
        "holt einen zweiten Agenten dazu",
        "fait venir un second agent",
    ),
    "name_note": ("Note", "Nota", "Nota", "Notiz", "Note"),
    "help_note": (
        "is kept, and never sent",
        "se guarda y nunca se envía",
        "guarda-se e nunca se envia",
        "wird aufbewahrt und nie gesendet",
        "est gardée et jamais envoyée",
    ),
    "name_history": ("History", "Historial", "Histórico", "Verlauf", "Historique"),
    "help_history": (
        "shows what was said before",
        "muestra lo dicho antes",
        "mostra o que foi dito antes",
        "zeigt, was vorher gesagt wurde",
        "montre ce qui a été dit avant",
    ),
    "name_who": ("Who is it?", "¿Quién es?", "Quem é?", "Wer ist es?", "Qui est-ce ?"),
    "help_who": (
        "shows the client’s card",
        "muestra la ficha del cliente",
        "mostra a ficha do cliente",
        "zeigt die Karte des Kunden",
        "montre la fiche du client",
    ),
    "name_name": ("Name them", "Poner nombre", "Dar nome", "Benennen", "Nommer"),
    "help_name": (
        "gives the client a name, or forgets the one that agents gave",
        "da un nombre al cliente, u olvida el que le dieron los agentes",
        "dá um nome ao cliente, ou esquece o que os agentes lhe deram",
        "gibt dem Kunden einen Namen, oder vergisst den, den Agenten ihm gaben",
        "donne un nom au client, ou oublie celui que les agents lui ont donné",
    ),
    "name_close": ("Close", "Cerrar", "Fechar", "Beenden", "Clore"),
    "help_close": (
        "ends the conversation",
        "termina la conversación",
        "termina a conversa",
        "beendet das Gespräch",
        "termine la conversation",
    ),
    "name_ready": ("Ready", "Disponible", "Disponível", "Bereit", "Disponible"),
    "help_ready": (
        "ends your break",
        "termina su pausa",
        "termina a sua pausa",
        "beendet Ihre Pause",
        "termine votre pause",
    ),
    "name_pause": ("Break", "Pausa", "Pausa", "Pause", "Pause"),
    "help_pause": (
        "has nothing new offered to you",
        "deja de ofrecerle lo nuevo",
        "deixa de lhe oferecer o novo",
        "lässt Ihnen nichts Neues anbieten",
        "ne vous fait plus rien proposer",
    ),
    "name_queue": ("Who is waiting?", "¿Quién espera?", "Quem espera?", "Wer wartet?", "Qui attend ?"),
    "help_queue": (
        "shows who is waiting, and for how long",
        "muestra quién espera y cuánto",
        "mostra quem espera e há quanto",
        "zeigt, wer wartet und wie lange",
        "montre qui attend et depuis quand",
    ),
    "help_end": (
        "{prefix}{prefix} at the beginning of a line stands for {prefix}.",
        "{prefix}{prefix} al principio de una línea significa {prefix}.",
        "{prefix}{prefix} no início de uma linha significa {prefix}.",
        "{prefix}{prefix} am Anfang einer Zeile steht für {prefix}.",
        "{prefix}{prefix} au début d’une ligne signifie {prefix}.",
    ),
}
